import t from 'tap'
import { attest } from '../../server/collector/attest.ts'
import { parseAttestation } from '../../server/collector/attest-file.ts'
import { passwordAttestation, passwordProperties } from '../../server/collector/attest-password.ts'
import type { FactDocument } from '../../server/documents/facts.ts'
import { ImagegateError } from '../../server/errors.ts'
import { parseFacts } from '../../server/facts/parse.ts'

const observed: FactDocument = {
  schema: 'imagegate.facts/1',
  os: { type: 'linux', id: 'debian' },
  accounts: { root: { password: 'set' } },
  disk: { partitions: [{ number: 1 }] },
  collection: {
    sources: [
      {
        pointers: ['/os', '/accounts', '/disk'],
        collector: 'imagegate',
        version: '1.0.0',
        method: 'offline',
        basis: 'observed',
        at: '2026-11-20T09:30:00Z',
      },
    ],
    missing: [
      { pointer: '/accounts/root/passwordProperties', code: 'unverifiable', reason: 'Only a hash is stored.' },
      { pointer: '/files/systemFiles/verification', code: 'not-requested', reason: 'Not asked for.' },
    ],
  },
}

const head = { schema: 'imagegate.attestation/1', by: 'image team', at: '2026-11-19T00:00:00Z' }
const attestation = (facts: unknown) => parseAttestation({ ...head, how: 'debsums', facts }, 'build.yaml')

function problemsOf(run: () => unknown): { code: string; pointers: (string | undefined)[]; text: string } {
  try {
    run()
  } catch (error) {
    if (!(error instanceof ImagegateError)) throw error
    const text = `${error.message} ${error.problems.map(({ message }) => message).join(' ')}`
    return { code: error.code, pointers: error.problems.map(({ pointer }) => pointer), text }
  }
  throw new Error('Nothing was refused.')
}

t.test('what is attested fills what is absent, marked with who, when and how', async (t) => {
  const given = attestation({ files: { systemFiles: { baseline: 'dpkg', verification: 'match', modified: [] } } })
  const document = attest(observed, [given])
  parseFacts(Buffer.from(JSON.stringify(document)))
  t.same(document.files?.systemFiles, { baseline: 'dpkg', verification: 'match', modified: [] })
  t.match(document.collection.sources, [
    { basis: 'observed', pointers: ['/os', '/accounts', '/disk'] },
    { basis: 'attested', collector: 'image team', at: head.at, method: /debsums/, pointers: ['/files'] },
  ])
  t.same(
    document.collection.missing?.map(({ pointer }) => pointer),
    ['/accounts/root/passwordProperties'],
  )
  t.same(attest(observed, []), observed)
})

t.test('a value that was observed keeps its source when it is attested, too', async (t) => {
  const document = attest(observed, [
    attestation({ os: { id: 'debian', version: '10.7' }, disk: { partitions: [{ number: 1 }] } }),
  ])
  t.same(
    document.collection.sources.map(({ basis, pointers }) => [basis, pointers]),
    [
      ['observed', ['/os', '/accounts', '/disk']],
      ['attested', ['/os/version']],
    ],
  )
})

t.test('an attested value that contradicts an observed one is a problem with its pointer', async (t) => {
  const wrong = [
    [{ os: { id: 'ubuntu' } }, '/os/id'],
    [{ accounts: { root: { password: 'locked' } } }, '/accounts/root/password'],
    [{ disk: { partitions: [{ number: 1 }, { number: 2 }] } }, '/disk/partitions'],
    [{ disk: { partitions: [{ number: 1, role: 'root' }] } }, '/disk/partitions'],
  ] as const
  for (const [facts, pointer] of wrong) {
    const { code, pointers } = problemsOf(() => attest(observed, [attestation(facts)]))
    t.same([code, pointers], ['ATTESTATION_INVALID', [pointer]])
  }
  const twice = [attestation({ os: { version: '10' } }), attestation({ os: { version: '11' } })]
  t.same(problemsOf(() => attest(observed, twice)).pointers, ['/os/version'], 'nor another attested one')
})

t.test('an attestation is checked like facts, its pointers are those of the file', async (t) => {
  t.same(problemsOf(() => attestation({ os: { type: 'plan9' } })).pointers, ['/facts/os/type'])
  t.same(problemsOf(() => attestation({ os: { unknown: 1 } })).pointers, ['/facts/os/unknown'])
  t.same(problemsOf(() => attestation({ collection: {} })).code, 'ATTESTATION_INVALID')
  t.same(problemsOf(() => parseAttestation({ ...head }, 'x')).code, 'ATTESTATION_INVALID')
  t.same(problemsOf(() => parseAttestation({ ...head, by: '', facts: { os: { type: 'linux' } } }, 'x')).pointers, [
    '/by',
  ])
  t.same(
    problemsOf(() => parseAttestation({ ...head, at: 'today', facts: { os: { type: 'linux' } } }, 'x')).code,
    'ATTESTATION_INVALID',
  )
  t.same(problemsOf(() => parseAttestation('text', 'x')).code, 'ATTESTATION_INVALID')
  const secret = problemsOf(() => attestation({ os: { name: '$6$saltsalt$abcdefghijklmnop' } }))
  t.same([secret.code, secret.pointers], ['SECRET_REFUSED', ['/facts/os/name']])
  t.notMatch(secret.text, /salt/)
  const who = problemsOf(() =>
    parseAttestation({ ...head, by: '$6$saltsalt$abcdefghijklmnop', facts: { os: { type: 'linux' } } }, 'x'),
  )
  t.equal(who.code, 'SECRET_REFUSED')
})

t.test('of a password only length and classes are told', async (t) => {
  const of = (text: string) => passwordProperties(Buffer.from(text))
  const none = {
    hasUppercase: false,
    hasLowercase: false,
    hasDigit: false,
    hasSpecial: false,
    hasOther: false,
    startsWithSlash: false,
  }
  t.same(of(''), { length: 0, ...none })
  t.same(of('abcABC123'), { ...none, length: 9, hasUppercase: true, hasLowercase: true, hasDigit: true })
  t.same(of('/x'), { ...none, length: 2, hasLowercase: true, hasSpecial: true, startsWithSlash: true })
  t.same(of('é😀"\\ '), { ...none, length: 5, hasOther: true }, 'characters are counted, not bytes')
  for (const special of "()`~!@#$%^&*-_+=|{}[]:;'<>,.?/") t.ok(of(special).hasSpecial, special)
  const given = passwordAttestation('root', of('Secret-1'), head.at)
  t.notMatch(JSON.stringify(given), /Secret/)
  const document = attest(observed, [given])
  t.match(document.accounts, { root: { password: 'set', passwordProperties: { length: 8 } } })
  t.same(
    document.collection.missing?.map(({ pointer }) => pointer),
    ['/files/systemFiles/verification'],
  )
  t.same(problemsOf(() => attest(observed, [passwordAttestation('root', of(''), head.at)])).pointers, [
    '/accounts/root/password',
  ])
})
