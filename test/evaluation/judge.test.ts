import { readdir, readFile } from 'node:fs/promises'
import t from 'tap'
import type { FactDocument } from '../../server/documents/facts.ts'
import { ImagegateError } from '../../server/errors.ts'
import { judge } from '../../server/evaluation/judge.ts'
import { compareVersions, operator } from '../../server/evaluation/operators.ts'
import { type GivenOptions, parseOptions } from '../../server/evaluation/options.ts'
import { parseFacts } from '../../server/facts/parse.ts'
import { countHolds } from '../../server/policy/interval.ts'
import { readPolicy } from '../../server/policy/load.ts'
import type { PolicySet, ReleasedPolicy } from '../../server/policy/set.ts'
import { matches, problemsOf } from '../../server/schemas.ts'
import { policies, readFacts, top } from '../policies/shipped.ts'
import { canonical } from '../support/canonical.ts'

const now = new Date('2026-01-01T00:00:00.000Z')
const examples = (await readdir(new URL('examples/', top), { recursive: true })).filter((name) =>
  name.endsWith('.json'),
)

function judged(document: unknown, given: GivenOptions = {}, set: PolicySet = policies, at = now) {
  return judge(set, parseFacts(Buffer.from(JSON.stringify(document))), given, at)
}

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof ImagegateError) return error.code
    throw error
  }
  return 'no error'
}

t.test('every example gives a verdict that matches its schema, in canonical form, with every rule', async (t) => {
  for (const example of examples) {
    const document = await readFacts(`examples/${example}`)
    const importAs = example.includes('others')
      ? 'others-linux'
      : example.includes('customized')
        ? 'customized-linux'
        : undefined
    const { verdict, policies: used } = judged(document, importAs === undefined ? {} : { importAs })
    t.ok(matches('verdict', verdict), example, { problems: problemsOf('verdict', verdict) })
    t.equal(JSON.stringify(verdict), canonical(verdict), `${example} is written in canonical order`)
    const planned = used[0]?.policy.rules.map(({ id }) => id)
    t.same(
      verdict.findings.map(({ rule }) => rule),
      planned,
      `${example}: rules planned are rules reported`,
    )
    const { counts } = verdict
    t.equal(counts.pass + counts.fail + counts.unknown + counts.not_applicable, counts.rules)
    const outcome = /ready\.json$/.test(example) ? /^ready/ : /^(not_ready|undetermined)$/
    t.match(verdict.outcome, outcome, example)
    for (const finding of verdict.findings.filter(({ result }) => result !== 'pass')) {
      t.ok(finding.message && finding.evidence?.length, `${finding.rule} explains itself`)
      if (finding.result === 'fail') t.ok(finding.remediation?.steps.length, `${finding.rule} says what to do`)
      if (finding.result === 'unknown') t.ok(finding.collect, `${finding.rule} says how to collect`)
    }
  }
})

t.test('the same facts and options give the same bytes', async (t) => {
  const document = await readFacts('examples/linux/several-faults.json')
  t.equal(JSON.stringify(judged(document).verdict), JSON.stringify(judged(structuredClone(document)).verdict))
})

t.test('remediation is ordered from the guest to the import request', async (t) => {
  const { verdict } = judged(await readFacts('examples/linux/several-faults.json'))
  const stages = ['guest', 'disk', 'container', 'request']
  const order = verdict.remediationOrder.map((rule) => {
    return stages.indexOf(verdict.findings.find((finding) => finding.rule === rule)?.remediation?.stage ?? '')
  })
  t.ok(order.length > 2)
  t.same(order, order.toSorted())
  t.same(
    [...verdict.remediationOrder].sort(),
    verdict.findings
      .filter(({ result }) => result === 'fail')
      .map(({ rule }) => rule)
      .sort(),
  )
})

t.test('missing facts are told once, with the rules that wait and the collector’s own reason', async (t) => {
  const { boot: _boot, accounts: _accounts, ...document } = await readFacts('examples/linux/ready.json')
  document.collection.missing = [
    { pointer: '/boot', code: 'tool-missing', reason: 'debugfs \u001b[31mis not installed' },
    { pointer: '', code: 'other', reason: 'not this one' },
  ]
  const { verdict } = judged(document)
  t.equal(verdict.outcome, 'undetermined')
  const pointers = verdict.missing.map(({ pointer }) => pointer)
  t.equal(new Set(pointers).size, pointers.length)
  const loader = verdict.missing.find(({ pointer }) => pointer === '/boot/loader')
  t.match(loader, { code: 'tool-missing', reason: 'debugfs \\u{1b}[31mis not installed' })
  t.ok(loader?.rules.some(({ rule, alone }) => rule === 'linux.grub-legacy.menu' && alone))
  const drivers = verdict.missing.find(({ pointer }) => pointer === '/boot/defaultKernel/virtioBlk')
  t.ok(
    drivers?.rules.every(({ alone }) => !alone),
    'several drivers are missing together',
  )
  for (const { rules } of verdict.missing) {
    for (const { rule } of rules) t.equal(verdict.findings.find((finding) => finding.rule === rule)?.result, 'unknown')
  }
})

t.test('alternatives are given whenever the distribution rule fails, and only then', async (t) => {
  t.same(judged(await readFacts('examples/linux/ready.json')).verdict.alternatives, [])
  const { verdict, policies: used } = judged(await readFacts('examples/linux/not-listed.json'))
  t.same(
    verdict.alternatives.map(({ importAs }) => importAs),
    ['others-linux', 'customized-linux'],
  )
  t.same(
    used.map(({ family }) => family),
    ['linux', 'nonstandard-linux'],
  )
  for (const { policy, outcome } of verdict.alternatives) {
    t.equal(policy.family, 'nonstandard-linux')
    t.ok(outcome)
  }
})

t.test('import parameters follow the facts and the requested disk', async (t) => {
  const linux = await readFacts('examples/linux/ready.json')
  const gib = Math.ceil((linux.image?.virtualSizeBytes ?? 0) / 2 ** 30)
  t.match(judged(linux).verdict.importParameters, {
    OSType: 'linux',
    Platform: 'Debian',
    Architecture: 'x86_64',
    'DiskDeviceMapping.1.Format': 'QCOW2',
    'DiskDeviceMapping.1.DiskImageSize': gib,
  })
  t.equal(
    judged(linux, { systemDiskBytes: 100 * 2 ** 30 }).verdict.importParameters['DiskDeviceMapping.1.DiskImageSize'],
    100,
  )
  t.equal(judged(linux, { importAs: 'others-linux' }).verdict.importParameters.Platform, 'Others Linux')
  const windows = await readFacts('examples/windows-server/ready.json')
  const small: FactDocument = { ...windows, image: { ...windows.image, name: 'a', virtualSizeBytes: 20 * 2 ** 30 + 1 } }
  t.equal(
    judged(small).verdict.importParameters['DiskDeviceMapping.1.DiskImageSize'],
    40,
    'at least 40 GiB for Windows',
  )
  const odd: FactDocument = { ...windows, image: { ...windows.image, name: 'a', virtualSizeBytes: 50 * 2 ** 30 + 1 } }
  t.equal(judged(odd).verdict.importParameters['DiskDeviceMapping.1.DiskImageSize'], 51, 'rounded up to a GiB')
  t.equal(judged({ ...linux, os: { type: 'linux', id: 'constructor.x' } }).verdict.importParameters.Platform, undefined)
})

t.test('the family follows the system, or the operator’s choice', async (t) => {
  const linux = await readFacts('examples/linux/ready.json')
  const windows = await readFacts('examples/windows-server/ready.json')
  const { os: _os, ...nameless } = linux
  t.equal(judged(linux).verdict.policy.family, 'linux')
  t.equal(judged(windows).verdict.policy.family, 'windows-server')
  t.equal(judged(await readFacts('examples/linux/freebsd-ready.json')).verdict.policy.family, 'linux')
  t.equal(judged(nameless).verdict.policy.family, 'unidentified')
  t.equal(judged(nameless, { importAs: 'customized-linux' }).verdict.policy.family, 'nonstandard-linux')
  t.equal(
    codeOf(() => judged(windows, { importAs: 'others-linux' })),
    'IMPORT_AS_CONFLICT',
  )
})

function versionOf(policy: ReleasedPolicy, version: string, effectiveFrom: string): ReleasedPolicy {
  const text = policy.text
    .replace(/^version: .*/m, `version: "${version}"`)
    .replace(/^effectiveFrom: .*/m, `effectiveFrom: ${effectiveFrom}`)
  const read = readPolicy(text, `${policy.family}/${version}.yaml`).policy
  if (read === undefined) throw new Error('not a policy')
  return read
}

t.test('the version in force is the newest that has begun and is not withdrawn', async (t) => {
  const document = await readFacts('examples/linux/ready.json')
  const first = policies.versions.find(({ family }) => family === 'linux')
  if (first === undefined) throw new Error('no policy')
  const second = versionOf(first, '1.1.0', '2025-01-01T00:00:00Z')
  const third = {
    ...versionOf(first, '2.0.0', '2025-06-01T00:00:00Z'),
    withdrawn: { at: '2025-07-01T00:00:00Z', reason: 'wrong' },
  }
  const later = versionOf(first, '3.0.0', '2027-01-01T00:00:00Z')
  const set = { versions: [first, second, third, later] }
  const chosen = (given: Record<string, unknown>) => judged(document, parseOptions(given), set).verdict
  t.match(chosen({}), {
    asOf: now.toISOString(),
    policy: { version: '1.1.0', selectedBy: 'now', digest: second.digest },
  })
  t.match(chosen({ asOf: '2020-12-30' }), {
    asOf: '2020-12-30T00:00:00.000Z',
    policy: { version: '1.0.0', selectedBy: 'asOf' },
  })
  t.equal(chosen({ asOf: '2024-12-31T23:59:59.999Z' }).policy.version, '1.0.0')
  t.equal(chosen({ asOf: '2025-01-01' }).policy.version, '1.1.0')
  t.equal(chosen({ asOf: '2028-01-01' }).policy.version, '3.0.0')
  t.match(chosen({ policyVersion: '3.0.0' }).policy, { version: '3.0.0', selectedBy: 'pin' })
  t.equal(
    codeOf(() => chosen({ asOf: '2020-12-29' })),
    'POLICY_NOT_IN_FORCE',
  )
  t.equal(
    codeOf(() => chosen({ policyVersion: '2.0.0' })),
    'POLICY_VERSION_UNKNOWN',
    'a withdrawn version',
  )
  t.equal(
    codeOf(() => chosen({ policyVersion: '9.9.9' })),
    'POLICY_VERSION_UNKNOWN',
  )
  t.equal(
    codeOf(() => chosen({ policyVersion: '1.0.0', asOf: '2025-01-01' })),
    'AS_OF_WITH_PIN',
  )
})

t.test('options are checked, none is guessed', async (t) => {
  const bad: Record<string, unknown>[] = [
    { importAs: 'linux' },
    { systemDiskBytes: '0' },
    { systemDiskBytes: '-1' },
    { systemDiskBytes: '1e9' },
    { systemDiskBytes: '9007199254740993' },
    { systemDiskBytes: ['1', '2'] },
    { asOf: '2021-02-30' },
    { asOf: '2021-01-01T00:00:00+01:00' },
    { asOf: 'yesterday' },
    { policyVersion: '1.0' },
    { policyVersion: 'latest' },
    { unknown: '1' },
  ]
  for (const given of bad)
    t.equal(
      codeOf(() => parseOptions(given)),
      'OPTION_INVALID',
      JSON.stringify(given),
    )
  t.same(parseOptions({ systemDiskBytes: '42949672960', importAs: 'others-linux' }), {
    systemDiskBytes: 42949672960,
    importAs: 'others-linux',
  })
})

t.test('the lent operators have these truths', async (t) => {
  const table: readonly (readonly [string, unknown, unknown, boolean])[] = [
    ['equal', 'a', 'a', true],
    ['equal', 1, '1', false],
    ['notEqual', 'a', 'b', true],
    ['in', 'a', ['a', 'b'], true],
    ['in', 'ab', ['a', 'b'], false],
    ['notIn', 'c', ['a', 'b'], true],
    ['contains', ['64bit'], '64bit', true],
    ['contains', ['64bitx'], '64bit', false],
    ['doesNotContain', [], '64bit', true],
    ['lessThan', 9, 10, true],
    ['lessThanInclusive', 10, 10, true],
    ['greaterThan', 10, 9, true],
    ['greaterThanInclusive', 9, 10, false],
    ['version:equal', '1.0', '1', true],
    ['version:lessThan', '0.7.9', '0.7.10', true],
    ['version:lessThan', '9', '10', true],
    ['version:lessThanInclusive', '0.7.9', '0.7.9', true],
    ['version:greaterThan', '681.2.0', '681.1.9', true],
    ['version:greaterThanInclusive', '681.2', '681.2.0', true],
    ['version:greaterThanInclusive', '681.1.9', '681.2.0', false],
    ['major:equal', '13.10', 13, true],
    ['major:in', '42.3', [13, 42, 15], true],
    ['major:in', '5.11', [11], false],
    ['major:notIn', '11.10', [10, 12], true],
    ['major:lessThan', '9.13', 10, true],
    ['major:lessThanInclusive', '10.13', 10, true],
    ['major:greaterThan', '10.13', 10, false],
    ['major:greaterThanInclusive', '10.13', 10, true],
  ]
  for (const [name, observed, expected, truth] of table) {
    t.equal(
      operator(name)(observed, expected),
      truth,
      `${JSON.stringify(observed)} ${name} ${JSON.stringify(expected)}`,
    )
  }
  t.throws(() => operator('version:matches'), RangeError)
  t.throws(() => operator('nope'), RangeError)
  t.equal(compareVersions('1.2', '1.2.0.0'), 0)
  const schema: { $defs: { operator: { enum: string[] } } } = JSON.parse(
    await readFile(new URL('schemas/policy.schema.json', top), 'utf8'),
  )
  t.same(
    [...new Set(table.map(([name]) => name))].sort(),
    schema.$defs.operator.enum.toSorted(),
    'every operator of the schema is here',
  )
})

t.test('a count that may lie in an interval is decided only when all its values agree', async (t) => {
  for (const name of ['equal', 'notEqual', 'lessThan', 'lessThanInclusive', 'greaterThan', 'greaterThanInclusive']) {
    const compare = operator(name)
    for (let atLeast = 0; atLeast <= 4; atLeast += 1) {
      for (let atMost = atLeast; atMost <= 4; atMost += 1) {
        for (let value = 0; value <= 5; value += 1) {
          const truths = new Set<boolean>()
          for (let count = atLeast; count <= atMost; count += 1) truths.add(compare(count, value))
          const expected = truths.size === 1 ? [...truths][0] : undefined
          if (countHolds(name, compare, { atLeast, atMost }, value) !== expected)
            t.fail(`${atLeast}..${atMost} ${name} ${value}`)
        }
      }
    }
  }
  t.pass('540 intervals were compared one value at a time')
})
