import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { exitCodeOf, worse } from '../../server/cli/exit.ts'
import { bytesOf } from '../../server/cli/sizes.ts'
import { widthOf, wrap } from '../../server/cli/wrap.ts'
import { matches } from '../../server/schemas.ts'
import { changed, example, imagegate, releasedPolicies } from './support.ts'

const ready = example('linux/ready.json')
const faults = example('linux/several-faults.json')
const unreadable = example('unidentified/unreadable-system.json')

const folder = t.testdir()
const policies = await releasedPolicies(join(folder, 'policies'))
const environment = { IMAGEGATE_POLICIES: policies }
const evaluate = (args: readonly string[], given = {}) => imagegate(['evaluate', ...args], { environment, ...given })

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not appear
const acting = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

t.test('the exit code tells the outcome', async (t) => {
  t.equal((await evaluate([ready])).code, 0)
  t.equal((await evaluate([faults])).code, 1)
  t.equal((await evaluate([unreadable])).code, 2)
  t.equal((await evaluate([join(folder, 'none.json')])).code, 3)
})

t.test('several documents exit with the worst, and each is answered', async (t) => {
  t.equal((await evaluate([ready, unreadable])).code, 2)
  t.equal((await evaluate([unreadable, faults, ready])).code, 1)
  const ran = await evaluate([faults, join(folder, 'none.json'), unreadable])
  t.equal(ran.code, 3)
  const lines = ran.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.same(
    lines.map((line) => line.verdict?.outcome ?? line.problem?.code),
    ['not_ready', 'FILE_UNREADABLE', 'undetermined'],
  )
  t.match(ran.stderr, 'FILE_UNREADABLE: A file cannot be read')
  const codes = [0, 1, 2, 3] as const
  const order = codes.toSorted((a, b) => (a === b ? 0 : worse(a, b) === a ? 1 : -1))
  t.same(order, [0, 2, 1, 3])
})

t.test('warnings exit with 0 unless they are to fail', async (t) => {
  t.equal(exitCodeOf('ready_with_warnings', 'not-ready'), 0)
  t.equal(exitCodeOf('ready_with_warnings', 'warn'), 1)
  t.equal(exitCodeOf('ready', 'warn'), 0)
  t.equal(exitCodeOf('undetermined', 'warn'), 2)
  t.equal((await evaluate([ready, '--fail-on', 'warn'])).code, 0)
})

t.test('JSON is the verdict itself, on one line, indented on a terminal', async (t) => {
  const piped = await evaluate([ready])
  const verdict: unknown = JSON.parse(piped.stdout)
  t.ok(matches('verdict', verdict))
  t.equal(piped.stdout.split('\n').length, 2)
  const shown = await evaluate([ready, '--format', 'json'], { columns: 80 })
  t.same(JSON.parse(shown.stdout), verdict)
  t.ok(shown.stdout.split('\n').length > 20)
})

t.test('a document comes from standard input, with - or without', async (t) => {
  const stdin = readFileSync(faults)
  const named = await evaluate(['-'], { stdin })
  t.equal(named.code, 1)
  t.equal((await evaluate([], { stdin })).stdout, named.stdout)
  const nobody = await evaluate([], { interactive: true })
  t.equal(nobody.code, 3)
  t.match(nobody.stderr, 'Name a file of facts')
  t.equal((await evaluate(['-', '-'], { stdin })).code, 3)
})

t.test('NDJSON has one document a line; a bad line is told by its number and stops nothing', async (t) => {
  const one = JSON.stringify(JSON.parse(readFileSync(ready, 'utf8')))
  const long = `{"x":"${'y'.repeat(1_100_000)}"}`
  const stdin = `${one}\n\nnot json\n${long}\n${one}`
  const ran = await evaluate(['--ndjson'], { stdin })
  t.equal(ran.code, 3)
  const lines = ran.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.same(
    lines.map(({ file, line, verdict, problem }) => [file, line, verdict?.outcome ?? problem.code]),
    [
      ['-', 1, 'ready'],
      ['-', 3, 'JSON_MALFORMED'],
      ['-', 4, 'BODY_TOO_LARGE'],
      ['-', 5, 'ready'],
    ],
  )
  t.match(ran.stderr, 'standard input:3: JSON_MALFORMED')
  const file = join(folder, 'fleet.ndjson')
  writeFileSync(file, `${one}\n`)
  t.match(JSON.parse((await evaluate([file])).stdout), { file, line: 1, verdict: { outcome: 'ready' } })
})

t.test('an image given instead of its facts is refused without reading it', async (t) => {
  const file = join(folder, 'disk.qcow2')
  writeFileSync(file, Buffer.alloc(3 << 20))
  const ran = await evaluate([file])
  t.equal(ran.code, 3)
  t.match(ran.stderr, /a document of facts is expected, not an image/)
  mkdirSync(join(folder, 'dir.json'))
  t.match((await evaluate([join(folder, 'dir.json')])).stderr, 'EISDIR')
})

t.test('an invalid document is told with every pointer and what to do', async (t) => {
  const stdin = changed('linux/ready.json', (document) => {
    document['image'] = { ...document['image'], format: 'floppy', virtualSizeBytes: '10' }
  })
  const { code, stdout, stderr } = await evaluate([], { stdin })
  t.equal(code, 3)
  t.equal(stdout, '')
  t.match(stderr, /^imagegate: standard input: FACTS_INVALID: The fact document does not match its schema\n/)
  t.match(stderr, '  /image/format: It must be equal to one of the allowed values')
  t.match(stderr, '  /image/virtualSizeBytes: It must be integer')
  t.match(stderr, 'GET /v1/schemas/facts describes every one.')
})

t.test('sizes are powers of 1024, converted exactly', async (t) => {
  t.equal(bytesOf('42949672960'), '42949672960')
  for (const text of ['40G', '40GiB']) t.equal(bytesOf(text), '42949672960')
  t.equal(bytesOf('1P'), '1125899906842624')
  t.equal(bytesOf('9007199254740991K'), '9223372036854774784')
  for (const text of ['40GB', '1.5G', '-1', '40 G', '', '0x10', '1e9', '40g']) t.equal(bytesOf(text), undefined, text)
  const sized = await evaluate([ready, '--system-disk', '40GiB'])
  t.match(JSON.parse(sized.stdout).options, { systemDisk: { requested: true, sizeBytes: 42949672960 } })
  for (const text of ['40GB', '9007199254740991K', '0']) {
    const ran = await evaluate([ready, '--system-disk', text])
    t.equal(ran.code, 3, text)
    t.match(ran.stderr, /^imagegate: --system-disk is /)
  }
})

t.test('options are passed on, and wrong ones are told by their flags', async (t) => {
  const pinned = await evaluate([ready, '--policy-version', '1.0.0'])
  t.match(JSON.parse(pinned.stdout).policy, { selectedBy: 'pin', version: '1.0.0' })
  const dated = await evaluate([ready, '--as-of', '2021-01-01'])
  t.match(JSON.parse(dated.stdout), { asOf: '2021-01-01T00:00:00.000Z', policy: { selectedBy: 'asOf' } })
  const other = await evaluate([ready, '--import-as', 'others-linux'])
  t.match(JSON.parse(other.stdout), { options: { importAs: 'others-linux' }, policy: { family: 'nonstandard-linux' } })
  const wrong: readonly (readonly [string[], RegExp])[] = [
    [['--as-of', 'yesterday'], /^imagegate: --as-of is a date/],
    [['--policy-version', 'one'], /^imagegate: --policy-version is a semantic version/],
    [['--as-of', '2021-01-01', '--policy-version', '1.0.0'], /AS_OF_WITH_PIN/],
    [['--as-of', '2019-01-01'], /POLICY_NOT_IN_FORCE/],
    [['--policy-version', '9.9.9'], /POLICY_VERSION_UNKNOWN/],
    [['--import-as', 'plan9'], /others-linux/],
    [['--fail-on', 'never'], /not-ready/],
    [['--bogus\u001b[2J'], /unknown option '--bogus\\u\{1b\}\[2J'/],
  ]
  for (const [args, message] of wrong) {
    const ran = await evaluate([ready, ...args])
    t.equal(ran.code, 3, args.join(' '))
    t.match(ran.stderr, message)
    t.equal(ran.stdout, '')
  }
})

t.test('the configured policies must be released; a folder of drafts need not', async (t) => {
  const drafts = join(folder, 'drafts')
  mkdirSync(join(drafts, 'linux'), { recursive: true })
  writeFileSync(join(drafts, 'policies.lock.json'), '{"schema":"imagegate.policy-lock/1","policies":[]}')
  writeFileSync(join(drafts, 'linux', '1.0.0.yaml'), readFileSync(join(policies, 'linux', '1.0.0.yaml')))
  const refused = await evaluate([ready], { environment: { IMAGEGATE_POLICIES: drafts } })
  t.equal(refused.code, 3)
  t.match(refused.stderr, 'linux/1.0.0.yaml: It is not released')
  t.equal((await evaluate([ready, '--policies', drafts])).code, 0)
  writeFileSync(join(drafts, 'linux', '1.1.0.yaml'), 'schema: imagegate.policy/1\nfamily: linux\n')
  const invalid = await evaluate([ready, '--policies', drafts])
  t.equal(invalid.code, 3)
  t.match(invalid.stderr, /^ {2}linux\/1\.1\.0\.yaml:\d+:\d+/m)
})

t.test('the report says the outcome first, then what to do in the order to do it', async (t) => {
  const { stdout } = await evaluate([faults], { columns: 100, noColour: true })
  const verdict = JSON.parse((await evaluate([faults])).stdout)
  t.ok(stdout.startsWith('NOT READY\nAt least one blocking rule failed'))
  t.notMatch(stdout, acting)
  const order = verdict.findings.filter((one: { effect: string; result: string }) => {
    return one.effect === 'block' && one.result === 'fail'
  })
  const rules = verdict.remediationOrder.filter((rule: string) =>
    order.some((one: { rule: string }) => one.rule === rule),
  )
  const places = rules.map((rule: string) => stdout.indexOf(` ${rule} (`))
  t.ok(rules.length > 3)
  t.same(
    places,
    places.toSorted((a: number, b: number) => a - b),
  )
  for (const { remediation } of order) {
    if (remediation?.command === undefined) continue
    t.ok(stdout.includes(`\n${remediation.command.trimEnd()}\n`), 'the exact command, unwrapped')
  }
  for (const digest of [verdict.policy.digest, verdict.factsDigest, verdict.subject.imageDigest])
    t.match(stdout, digest)
  t.match(stdout, `${verdict.counts.pass} rules pass and ${verdict.counts.not_applicable} do not apply`)
  t.match(stdout, '/agents/qemuGuestAgent/installed is true; expected equal false')
})

t.test('the report tells what to collect, the alternatives and the import parameters', async (t) => {
  const missing = await evaluate([unreadable, '--format', 'human'])
  t.match(missing.stdout, /^UNDETERMINED\n/)
  t.match(missing.stdout, /To collect: /)
  t.match(missing.stdout, '- /os/type decides unidentified.release')
  t.match(missing.stdout, /The collector says encrypted: /)
  const listed = await evaluate([example('linux/not-listed.json'), '--format', 'human'])
  t.match(listed.stdout, /Alternatives\n\n {2}--import-as others-linux: /)
  t.match(listed.stdout, /DiskDeviceMapping\.1\.Format +QCOW2/)
})

t.test('verbose lists what passed and what did not apply', async (t) => {
  const verdict = JSON.parse((await evaluate([ready])).stdout)
  const { stdout } = await evaluate([ready, '--format', 'human', '--verbose'])
  t.match(stdout, `Passed (${verdict.counts.pass})`)
  for (const { rule } of verdict.findings) t.ok(stdout.includes(`  ${rule}: `), rule)
})

t.test('colour is for terminals that want it', async (t) => {
  const coloured = '\u001b['
  t.ok((await evaluate([ready], { columns: 80 })).stdout.includes(coloured))
  t.notOk((await evaluate([ready], { columns: 80, noColour: true })).stdout.includes(coloured))
  t.notOk((await evaluate([ready, '--color', 'never'], { columns: 80 })).stdout.includes(coloured))
  t.notOk((await evaluate([ready, '--format', 'human'])).stdout.includes(coloured))
  t.ok(
    (await evaluate([ready, '--format', 'human', '--color', 'always'], { noColour: true })).stdout.includes(coloured),
  )
})

t.test('the report fits the terminal, but for commands and words that cannot be broken', async (t) => {
  for (const columns of [60, 100]) {
    const { stdout } = await evaluate([faults], { columns, noColour: true })
    const verdict = JSON.parse((await evaluate([faults])).stdout)
    const commands = new Set(
      verdict.findings.flatMap(
        (one: { remediation?: { command?: string } }) => one.remediation?.command?.split('\n') ?? [],
      ),
    )
    for (const line of stdout.split('\n').filter((one) => !commands.has(one) && /\S +\S+ +\S/.test(one))) {
      const unbroken = Math.max(...line.split(' ').map((word) => word.length)) > columns / 2
      t.ok(unbroken || widthOf(line) <= columns, line)
    }
  }
  t.same(wrap('a  b c', 20, '- '), ['- a  b c'])
  t.same(wrap('alpha beta', 8, '- '), ['- alpha', '  beta'])
  t.equal(widthOf('日本'), 4)
})

t.test('hostile strings are quoted or escaped wherever they appear', async (t) => {
  const hostile =
    '$(reboot)`x`"; rm -rf / #\u001b[2J\u001b]0;t\u0007\u202e\u2066<script>alert(1)</script>\u0085\u2028\u009b'
  const stdin = changed('linux/several-faults.json', (document) => {
    document['image'] = { ...document['image'], name: hostile }
    document['os'] = { ...document['os'], id: 'plan9', name: 'evil\u202eos' }
    const [root] = Array.isArray(document['volumes']) ? document['volumes'] : []
    Object.assign(root, { device: hostile })
    document['network'] = { ...document['network'], automatic: 'none' }
  })
  const human = await evaluate(['--verbose'], { stdin, columns: 100, noColour: true })
  t.equal(human.code, 1)
  t.equal(human.stderr, '')
  t.notMatch(human.stdout, acting)
  const marked = human.stdout.split('\n').filter((line) => line.includes('<script>'))
  for (const line of marked) t.match(line, /\$'\$\(reboot\)`x`"; rm -rf \/ #\\x1b/, 'one word of a command')
  const flat = human.stdout.replaceAll(/\s+/g, ' ')
  t.ok(flat.includes('"$(reboot)`x`\\"; rm -rf / #\\u{1b}[2J\\u{1b}]0;t\\u{7}\\u{202e}\\u{2066}\\u{3c}script\\u{3e}'))
  t.match(human.stdout, '"evil\\u{202e}os"')
  const json = await evaluate([], { stdin })
  t.notMatch(json.stdout, acting)
  t.match(json.stdout, '\\u202e')
  t.equal(JSON.parse(json.stdout).subject.imageName, hostile, 'evidence is shown escaped and not altered')
  const ndjson = await evaluate(['--ndjson'], { stdin })
  t.notMatch(ndjson.stdout, acting)
})

t.test('hostile file names and members are escaped in errors', async (t) => {
  const ran = await evaluate(['no\u001b[2J\u202efile.json'])
  t.equal(ran.code, 3)
  t.notMatch(ran.stderr, acting)
  const member = await evaluate([], {
    stdin: changed('linux/ready.json', (one) => Object.assign(one, { 'x\u001b[2J': {} })),
  })
  t.equal(member.code, 3)
  t.notMatch(member.stderr, acting)
  t.match(member.stderr, 'x\\u{1b}[2J')
})
