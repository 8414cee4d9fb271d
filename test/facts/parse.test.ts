import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import t from 'tap'
import { canonicalize, sha256 } from '../../server/digest.ts'
import { ImagegateError } from '../../server/errors.ts'
import { maxDocumentBytes, parseFacts } from '../../server/facts/parse.ts'
import { secretPatternNames } from '../../server/facts/secrets.ts'
import { canonical } from '../support/canonical.ts'
import { seed } from '../support/long.ts'

const collection = {
  sources: [
    {
      pointers: [''],
      collector: 'test',
      version: '1',
      method: 'by hand',
      basis: 'attested',
      at: '2026-01-01T00:00:00Z',
    },
  ],
}

function documentWith(sections: Record<string, unknown>): string {
  return JSON.stringify({ schema: 'imagegate.facts/1', collection, ...sections })
}

function refusal(text: string | Uint8Array): ImagegateError {
  try {
    parseFacts(typeof text === 'string' ? Buffer.from(text) : text)
  } catch (error) {
    if (error instanceof ImagegateError) return error
    throw error
  }
  throw new Error('It was accepted.')
}

t.test('a document is kept exactly as it is, and its digests are those of its canonical form', async (t) => {
  const text = documentWith({
    os: { version: '10.13', type: 'linux' },
    image: { name: 'ä€𝄞"\\\u2028', virtualSizeBytes: 9007199254740991 },
  })
  const parsed = parseFacts(Buffer.from(text))
  t.same(parsed.document, JSON.parse(text))
  t.equal(parsed.canonical, canonical(JSON.parse(text)))
  t.equal(parsed.documentDigest, sha256(parsed.canonical))
  const { schema: _schema, collection: _collection, ...sections } = JSON.parse(text)
  t.equal(parsed.factsDigest, sha256(canonical(sections)))
})

t.test('our canonical form is that of an independent implementation', async (t) => {
  t.comment(`seed ${seed}`)
  const wellFormed = (value: unknown) => !/\\ud[89a-f]/i.test(JSON.stringify(value))
  const member = fc.string({ unit: 'grapheme' }).filter((name) => !/^\d+$/.test(name) && name !== '__proto__')
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: 'binary' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value')),
      fc.dictionary(member, tie('value')),
    ),
  }))
  fc.assert(
    fc.property(value.filter(wellFormed), (one) => {
      const parsed: unknown = JSON.parse(JSON.stringify(one))
      return canonicalize(parsed) === canonical(parsed)
    }),
    { seed, numRuns: 500 },
  )
})

t.test('two collections of one image have equal facts digests', async (t) => {
  const first = documentWith({ os: { type: 'linux' } })
  const second = first.replace('by hand', 'by program').replace('{"type":"linux"}', '{ "type" : "linux" }')
  const [one, two] = [first, second].map((text) => parseFacts(Buffer.from(text)))
  t.equal(one?.factsDigest, two?.factsDigest)
  t.not(one?.documentDigest, two?.documentDigest)
})

t.test('what is not one sound JSON document is refused with its code', async (t) => {
  t.equal(refusal('{').code, 'JSON_MALFORMED')
  t.equal(refusal('').code, 'JSON_MALFORMED')
  t.equal(refusal('{} {}').code, 'JSON_MALFORMED')
  t.equal(refusal(Buffer.from([0x22, 0xff, 0x22])).code, 'TEXT_NOT_UNICODE')
  t.equal(refusal(documentWith({ image: { name: 'x\ud800' } }).replace('x\ud800', 'x\\ud800')).code, 'TEXT_NOT_UNICODE')
  t.equal(refusal('{"__proto__": {"polluted": true}}').code, 'NAME_FORBIDDEN')
  t.equal(refusal('{"image": {"constructor": {"prototype": {}}}}').code, 'NAME_FORBIDDEN')
  t.equal(
    refusal(documentWith({ image: { name: 'a' } }).replace('"name":"a"', '"name":"a","name":"b"')).code,
    'NAME_DUPLICATE',
  )
  t.equal(refusal('['.repeat(100_000)).code, 'JSON_MALFORMED')
  t.equal(refusal('['.repeat(33) + ']'.repeat(33)).code, 'DOCUMENT_TOO_DEEP')
  t.equal(refusal('['.repeat(100_000) + ']'.repeat(100_000)).code, 'DOCUMENT_TOO_DEEP')
  t.equal(refusal(`[${'0,'.repeat(4096)}0]`).code, 'DOCUMENT_TOO_LONG')
  t.equal(refusal(' '.repeat(maxDocumentBytes + 1)).code, 'BODY_TOO_LARGE')
  t.equal(refusal('null').code, 'FACTS_INVALID')
  t.equal(refusal('1e400').code, 'FACTS_INVALID')
  t.equal(Reflect.get({}, 'polluted'), undefined)
})

t.test('a member name that only looks double is no pair', async (t) => {
  const tricky = documentWith({ image: { name: '"name":"x\\":{' }, os: { name: '"a" : ' } })
  t.equal(parseFacts(Buffer.from(tricky)).document.image?.name, '"name":"x\\":{')
})

t.test('every problem is told with its pointer, and never the value', async (t) => {
  const error = refusal(
    documentWith({
      image: { format: 'tape-xyzzy', virtualSizeBytes: -1 },
      os: { type: null },
      extra: {},
      volumes: [{ freeBytes: 1.5 }],
    }),
  )
  t.equal(error.code, 'FACTS_INVALID')
  t.same(
    error.problems.map(({ pointer }) => pointer).sort(),
    [
      '/extra',
      '/image',
      '/image/format',
      '/image/virtualSizeBytes',
      '/os/type',
      '/os/type',
      '/volumes/0/freeBytes',
    ].sort(),
  )
  t.notMatch(JSON.stringify(error.problems), /xyzzy/)
})

t.test('numbers that JSON would round are refused', async (t) => {
  const text = documentWith({ image: { name: 'a', virtualSizeBytes: 1 } }).replace(':1}', ':9007199254740993}')
  t.equal(refusal(text).code, 'FACTS_INVALID')
})

t.test('every fact needs a source, the longest pointer above it', async (t) => {
  const text = documentWith({ os: { type: 'linux', id: 'debian' } }).replace(
    '"pointers":[""]',
    '"pointers":["/os/type","/image"]',
  )
  const error = refusal(text)
  t.same(
    error.problems.map(({ pointer }) => pointer),
    ['/os/id'],
  )
})

t.test('only the first hundred problems are kept, and all are counted', async (t) => {
  const error = refusal(documentWith({ volumes: Array.from({ length: 150 }, () => ({ freeBytes: 'x' })) }))
  t.equal(error.problems.length, 100)
  t.equal(error.total, 150)
})

const secrets: readonly (readonly [string, string])[] = [
  ['crypt-hash', '$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/'],
  ['crypt-hash', 'root:$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7'],
  ['crypt-hash', 'hash=$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW'],
  ['shadow-line', 'root:x1y2z3:18000:0:99999:7:::'],
  ['crypt-des-shadow-line', 'admin:aNmMWdmwpLhYE:17000:0:99999'],
  ['ldap-hash', '{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3'],
  ['private-key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
  ['private-key', '-----BEGIN PRIVATE KEY-----'],
  ['url-password', 'https://user:hunter2@example.org/image.qcow2'],
  ['pwdump-line', 'Administrator:500:aad3b435b51404eeaad3b435b51404ee:31d6cfe0d16ae931b73c59d7e0c089c0:::'],
]

t.test('what looks like a secret is refused wherever it stands, by pattern and pointer, never by value', async (t) => {
  for (const [name, secret] of secrets) {
    const places: [string, string][] = [
      [documentWith({ image: { name: secret } }), '/image/name'],
      [documentWith({ volumes: [{ label: `x ${secret}` }] }).replace('x ', ''), '/volumes/0/label'],
      [documentWith({ image: { [secret]: 1 } }), '/image/(redacted)'],
      [documentWith({ nowhere: [[{ a: secret }]] }), '/nowhere/0/0/a'],
    ]
    for (const [text, pointer] of places) {
      const error = refusal(text)
      t.equal(error.code, 'SECRET_REFUSED')
      t.equal(error.problems[0]?.pointer, pointer.replace('redacted', 'redacted'))
      t.match(error.problems[0]?.message, name)
      t.notOk(
        JSON.stringify([error.message, error.problems, error.stack]).includes(secret.slice(8)),
        'the value is nowhere',
      )
    }
  }
  t.same([...new Set(secrets.map(([name]) => name))].sort(), [...secretPatternNames].sort(), 'every pattern is tried')
})

t.test('ordinary facts are not taken for secrets', async (t) => {
  const ordinary = [
    '/dev/mapper/vg0-root',
    'UUID=0b3f9d1c-7f0a-4a43',
    '2:1.0.0-1ubuntu1',
    'fe80::1%eth0',
    'nfs://server:2049/x@y',
    '{GUID-1}',
    'a:b:c',
    'git@host:path',
    '$HOME/x',
    'C:\\Windows',
  ]
  for (const name of ordinary)
    t.equal(parseFacts(Buffer.from(documentWith({ image: { name } }))).document.image?.name, name)
})

t.test('SECURITY.md documents every secret pattern', async (t) => {
  const text = await readFile(new URL('../../SECURITY.md', import.meta.url), 'utf8')
  for (const name of secretPatternNames) t.ok(text.includes(`\`${name}\``), name)
})

t.test('any bytes give a document or one of the declared refusals', async (t) => {
  t.comment(`seed ${seed}`)
  const codes = new Set([
    'JSON_MALFORMED',
    'TEXT_NOT_UNICODE',
    'NAME_FORBIDDEN',
    'NAME_DUPLICATE',
    'DOCUMENT_TOO_DEEP',
    'DOCUMENT_TOO_LONG',
    'SECRET_REFUSED',
    'FACTS_INVALID',
  ])
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string({ unit: 'binary' })), (text) => codes.has(refusal(text).code)),
    { seed, numRuns: 500 },
  )
})
