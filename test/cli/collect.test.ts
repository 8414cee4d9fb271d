import { linkSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import t from 'tap'
import { askPassword } from '../../server/cli/collect-password.ts'
import { progressOn } from '../../server/cli/collect-progress.ts'
import { Output } from '../../server/cli/output.ts'
import { readConfig } from '../../server/config.ts'
import { parseFacts } from '../../server/facts/parse.ts'
import { canary, digestOf, littleDebian, programsMissing, smallImage } from '../collector/small-image.ts'
import { imagegate } from './support.ts'

const folder = t.testdir()
const skip = await programsMissing([
  'mke2fs',
  'sfdisk',
  'qemu-img',
  'blkid',
  'tune2fs',
  'debugfs',
  'prlimit',
  'setpriv',
])
const image = skip === false ? smallImage(folder, 'disk.raw') : ''

const attestation = `schema: imagegate.attestation/1
by: image team
at: 2026-11-20T09:30:00Z
how: debsums on the build host
facts:
  files: { systemFiles: { baseline: dpkg, verification: match, modified: [] } }
`

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

t.test('a document of facts goes to standard output, or to a file', { skip }, async (t) => {
  const piped = await imagegate(['collect', image])
  t.equal(piped.code, 0)
  const { document } = parseFacts(Buffer.from(piped.stdout))
  t.match(document, {
    image: { name: 'disk.raw' },
    os: { id: 'debian' },
    collection: { sources: [{ at: /^2026-11-20/ }] },
  })
  const output = join(folder, 'facts.json')
  const ran = await imagegate(['collect', image, '--output', output, '--digest'])
  t.equal(ran.code, 0)
  t.equal(ran.stdout, '')
  t.match(ran.stderr, /facts\.json was written\. Missing: \d+/)
  const written = parseFacts(readFileSync(output)).document
  t.equal(written.image?.digest, `sha256:${digestOf(image)}`)
  t.notMatch(readFileSync(output, 'utf8') + piped.stdout, canary.slice(3, 15))
})

t.test(
  'nothing that a guest wrote acts on a terminal, in the file as little as on standard output',
  { skip },
  async (t) => {
    const name = 'Debian \u009b31m\u202e\u200b'
    const release = `ID=debian\nVERSION_ID="10"\nNAME="${name}"\nPRETTY_NAME="${name}"\n`
    const acts = smallImage(folder, 'acts.raw', { files: { ...littleDebian, '/usr/lib/os-release': release } })
    const output = join(folder, 'acts.json')
    const piped = await imagegate(['collect', acts])
    t.equal((await imagegate(['collect', acts, '--output', output])).code, 0)
    for (const text of [piped.stdout, readFileSync(output, 'utf8')]) {
      t.notMatch(text, /(?!\n)[\p{Cc}\p{Cf}]/u)
      t.equal(parseFacts(Buffer.from(text)).document.os?.name, name, 'it says the same')
    }
  },
)

t.test('an input is never written to, by whatever name it goes', { skip }, async (t) => {
  const before = digestOf(image)
  const attest = file('attest.yaml', attestation)
  symlinkSync(image, join(folder, 'link'))
  linkSync(image, join(folder, 'hard-link'))
  for (const output of [
    image,
    join(folder, 'link'),
    join(folder, 'hard-link'),
    join(folder, '.', 'disk.raw'),
    attest,
  ]) {
    for (const command of ['collect', 'check']) {
      const ran = await imagegate([command, image, '--attest', attest, '--output', output])
      t.equal(ran.code, 3)
      t.match(ran.stderr, /--output is one of the inputs/)
    }
  }
  t.equal(digestOf(image), before)
  t.equal(readFileSync(attest, 'utf8'), attestation)
})

t.test('what is attested stands in the document, as YAML or JSON', { skip }, async (t) => {
  const yaml = file('a.yaml', attestation)
  const json = file(
    'b.json',
    JSON.stringify({
      schema: 'imagegate.attestation/1',
      by: 'B',
      at: '2026-11-20T09:30:00Z',
      facts: { accounts: { defaultSshKeyPair: false } },
    }),
  )
  const ran = await imagegate(['collect', image, '--attest', yaml, '--attest', json])
  t.equal(ran.code, 0)
  t.match(parseFacts(Buffer.from(ran.stdout)).document, {
    files: { systemFiles: { verification: 'match' } },
    accounts: { defaultSshKeyPair: false },
  })
})

t.test('an attestation that is wrong is told by file and pointer', { skip }, async (t) => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    [attestation.replace('match', 'perhaps'), /x\.yaml \(\/facts\/files\/systemFiles\/verification\)/],
    [attestation.replace(/files: .*/, 'os: { id: ubuntu }'), /\/os\/id: What is attested here contradicts/],
    [attestation.replace('by: image team', `by: "${canary}"`), /SECRET_REFUSED/],
    [`${attestation}facts: {}\n`, /x\.yaml:\d+:\d+: It is not valid YAML \(DUPLICATE_KEY\)/],
    ['\u001b[2J: [', /It is not valid YAML/],
  ]
  for (const [text, message] of wrong) {
    const ran = await imagegate(['collect', image, '--attest', file('x.yaml', text)])
    t.equal(ran.code, 3)
    t.equal(ran.stdout, '')
    t.match(ran.stderr, message)
    t.notOk(ran.stderr.includes('canary') || ran.stderr.includes('\u001b'))
  }
  const none = await imagegate(['collect', image, '--attest', join(folder, 'none.yaml')])
  t.match(none.stderr, /FILE_UNREADABLE/)
})

t.test('a password comes as one line, and only what it is like goes into the document', { skip }, async (t) => {
  for (const stdin of ['Tr0ub4dor&3\n', 'Tr0ub4dor&3\r\nmore\n', 'Tr0ub4dor&3']) {
    const ran = await imagegate(['collect', image, '--attest-password', 'root'], { stdin })
    t.equal(ran.code, 0)
    t.match(parseFacts(Buffer.from(ran.stdout)).document.accounts?.root, {
      password: 'set',
      passwordProperties: { length: 11, hasUppercase: true, hasSpecial: true, hasOther: false },
    })
    t.notMatch(ran.stdout + ran.stderr, /Tr0ub|dor&3/)
  }
  const none = await imagegate(['collect', image, '--attest-password', 'root'])
  t.equal(none.code, 3)
  t.match(none.stderr, /one line of standard input/)
  const other = await imagegate(['collect', image, '--attest-password', 'guest'])
  t.equal(other.code, 3)
})

function keyboard(keys: string) {
  const raw: boolean[] = []
  const stdin = Object.assign(Readable.from([Buffer.from(keys)]), {
    isTTY: true,
    setRawMode(value: boolean) {
      raw.push(value)
    },
  })
  const shown = new PassThrough()
  const stderr = new Output(shown)
  const terminal = {
    stdin,
    stderr,
    stdout: stderr,
    colourUnwanted: true,
    now: () => new Date(0),
    config: () => readConfig({}),
  }
  return { terminal, raw, shown: () => String(shown.read() ?? '') }
}

t.test('on a terminal it is typed unseen, and can be corrected', async (t) => {
  const typed: readonly (readonly [string, number])[] = [
    ['abc\r', 3],
    ['abé\u007f\u007fx\r', 2],
    ['wrong\u0015right!\n', 6],
    ['ab\u0004', 2],
  ]
  for (const [keys, length] of typed) {
    const { terminal, raw, shown } = keyboard(keys)
    const { facts } = await askPassword('administrator', terminal)
    t.equal(facts.accounts?.administrator?.passwordProperties?.length, length)
    t.same(raw, [true, false], 'echo is off and on again')
    t.equal(shown(), 'Password of administrator (it is not shown and not kept): \n')
  }
  const { terminal, raw } = keyboard('ab\u0003')
  await t.rejects(askPassword('root', terminal), /Interrupted/)
  t.same(raw, [true, false])
})

t.test('the bytes that were read are cleared', async (t) => {
  const chunk = Buffer.from('Secret1!\n')
  const { terminal } = keyboard('')
  await askPassword('root', { ...terminal, stdin: Readable.from([chunk]) })
  t.ok(chunk.every((byte) => byte === 0))
})

t.test('progress is a line on a terminal that leaves nothing behind', async (t) => {
  const onto = (isTTY: boolean) => {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 40 })
    return { stream, progress: progressOn(new Output(stream)) }
  }
  const { stream, progress } = onto(true)
  progress.show(`\u001b[2J\u202e${'long '.repeat(20)}`)
  progress.clear()
  progress.clear()
  const text = String(stream.read())
  t.ok(text.endsWith('\r\u001b[K'))
  const line = text.split('\u001b[K')[1] ?? ''
  t.ok(line.length <= 41)
  t.match(line, /^\\u\{1b\}\[2J\\u\{202e\}long .*…\r$/)
  const silent = onto(false)
  silent.progress.show('text')
  silent.progress.clear()
  t.equal(silent.stream.read(), null)
})

t.test('an image that cannot be read exits with 3', async (t) => {
  for (const name of ['none.qcow2', 'no\u001b[2Jne']) {
    const ran = await imagegate(['collect', join(folder, name)])
    t.equal(ran.code, 3)
    t.match(ran.stderr, /FILE_UNREADABLE/)
    t.notOk(ran.stderr.includes('\u001b'))
  }
})

t.test('doctor names every program and its package', async (t) => {
  const human = await imagegate(['doctor', '--format', 'human'])
  const json = await imagegate(['doctor'])
  const { complete, tools } = JSON.parse(json.stdout)
  t.equal(json.code, complete ? 0 : 1)
  t.equal(human.code, json.code)
  for (const tool of tools) {
    t.match(human.stdout, tool.name)
    t.match(human.stdout, tool.package)
  }
  t.match(human.stdout, complete ? 'Every program is there.' : /apt-get install \S/)
  t.match(human.stdout, /sandbox: (yes|no)\./)
})
