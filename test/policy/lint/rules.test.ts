import t from 'tap'
import { sha256 } from '../../../server/digest.ts'
import type { Source } from '../../../server/policy/lint/head.ts'
import { lintHeads } from '../../../server/policy/lint/heads.ts'
import { type LintInput, lintFiles } from '../../../server/policy/lint/lint.ts'

const policy = `schema: imagegate.policy/1
family: linux
version: "1.0.0"
effectiveFrom: 2020-12-30T00:00:00Z
title: A policy for tests
parameters:
  limit: { value: 10, unit: bytes, provenance: a test }
alternatives:
  whenFails: linux.one
  importAs: [others-linux]
rules:
  - id: linux.one
    requirements: [L-01]
    title: The distribution is known
    source:
      document: A source
      revision: 2020-12-30
      section: A section
    effect: { fail: block, unknown: block }
    conditions:
      all:
        - { fact: os, path: /id, operator: in, value: [debian, centos] }
        - { fact: image, path: /virtualSizeBytes, operator: greaterThan, value: { fact: parameters, path: /limit } }
    cases:
      - when: { fact: os, path: /id, operator: equal, value: alpine }
        message: "{/os/id} is not listed."
        remediation:
          stage: guest
          steps: [Install another system.]
      - message: "{/image/virtualSizeBytes|bytes} is too small."
        remediation:
          stage: container
          steps: [Enlarge it.]
    collect: Read /etc/os-release.
  - id: linux.two
    requirements: [L-02]
    title: No volume is encrypted
    source: { document: A source, revision: 2020-12-30, section: A section }
    effect: { fail: block, unknown: block }
    appliesWhen: { fact: os, path: /type, operator: equal, value: linux }
    notApplicable: It is no Linux.
    conditions:
      fact: count
      params:
        of: /volumes
        where: { fact: element, path: /encryption, operator: notEqual, value: none }
      operator: equal
      value: 0
    cases:
      - message: "{selected/device} is encrypted."
        remediation: { stage: disk, steps: [Copy it.] }
    collect: Run blkid on every volume.
`

const requirements = `document: A source
revision: 2020-12-30
requirements:
  - { id: L-01, families: [linux], statement: One }
  - { id: L-02, families: [linux], statement: Two }
  - { id: W-01, families: [windows-server], statement: Three }
`

const cases = `schema: imagegate.policy-test/1
family: linux
version: "1.0.0"
base: examples/linux/ready.json
cases:
  - name: Another system fails
    patch: []
    changes: { linux.one: fail }
    outcome: not_ready
  - name: A small disk fails
    patch: []
    changes:
      linux.one: fail
    outcome: not_ready
`

const lockOf = (text: string) => `{
  "schema": "imagegate.policy-lock/1",
  "policies": [
    { "family": "linux", "version": "1.0.0",
      "digest": "${sha256(text)}",
      "effectiveFrom": "2020-12-30T00:00:00Z" }
  ]
}
`

interface Files {
  readonly policy: string
  readonly requirements: string
  readonly cases: string
  readonly lock: string
}

const sound: Files = { policy, requirements, cases, lock: lockOf(policy) }
const paths: Readonly<Record<keyof Files, string>> = {
  policy: 'linux/1.0.0.yaml',
  requirements: 'requirements.yaml',
  cases: 'linux/tests/one.yaml',
  lock: 'policies.lock.json',
}

function inputOf(files: Files, more: readonly Source[] = []): LintInput {
  const source = (name: keyof Files): Source => ({ file: paths[name], path: paths[name], text: files[name] })
  return {
    policies: [source('policy'), ...more],
    tests: [source('cases')],
    lock: source('lock'),
    requirements: source('requirements'),
    exists: (path) => path === 'examples/linux/ready.json',
    isWanted: () => true,
  }
}

function found(input: LintInput): string[] {
  return lintFiles(input).map(({ file, line, code }) => `${file}:${line} ${code}`)
}

/** The line of a text's first occurrence, or of the nth. */
function lineOf(text: string, part: string, nth = 1): number {
  let at = -1
  for (let index = 0; index < nth; index += 1) at = text.indexOf(part, at + 1)
  if (at === -1) throw new Error(`${part} does not occur`)
  return text.slice(0, at).split('\n').length
}

interface Mistake {
  readonly code: string
  readonly in?: keyof Files
  readonly replace: string
  readonly by: string
  /** What stands at the line where it is told: the replacement itself when left out. */
  readonly at?: string
  readonly nth?: number
}

const condition = '{ fact: os, path: /id, operator: in, value: [debian, centos] }'
const volumes = '{ fact: element, path: /encryption, operator: notEqual, value: none }'

const mistakes: readonly Mistake[] = [
  { code: 'yaml-syntax', replace: 'title: A policy for tests', by: 'title: A policy: for tests' },
  { code: 'yaml-syntax', replace: 'family: linux', by: 'family: linux\nfamily: linux', at: 'family: linux', nth: 2 },
  { code: 'yaml-syntax', in: 'requirements', replace: 'revision: 2020-12-30', by: 'revision: 2020: 12' },
  {
    code: 'missing-source',
    replace: '    source:\n      document: A source\n      revision: 2020-12-30\n      section: A section\n',
    by: '',
    at: '- id: linux.one',
  },
  { code: 'missing-source', replace: '      section: A section\n', by: '', at: 'source:' },
  {
    code: 'missing-remediation',
    replace: '        remediation: { stage: disk, steps: [Copy it.] }\n',
    by: '',
    at: '- message: "{selected',
  },
  { code: 'missing-remediation', replace: 'steps: [Enlarge it.]', by: 'steps: []' },
  {
    code: 'missing-collection-hint',
    replace: '    collect: Run blkid on every volume.\n',
    by: '',
    at: '- id: linux.two',
  },
  { code: 'missing-collection-hint', replace: 'collect: Read /etc/os-release.', by: 'collect: ""' },
  { code: 'missing-member', replace: '    effect: { fail: block, unknown: block }\n', by: '', at: '- id: linux.one' },
  { code: 'unknown-member', replace: '    title: The dist', by: '    titel: The dist' },
  { code: 'unknown-operator', replace: 'operator: notEqual', by: 'operator: notEquals' },
  { code: 'unknown-fact', replace: '{ fact: os, path: /id, operator: in', by: '{ fact: oss, path: /id, operator: in' },
  { code: 'malformed-date', replace: 'effectiveFrom: 2020-12-30T', by: 'effectiveFrom: 2020-13-30T' },
  { code: 'malformed-date', replace: '      revision: 2020-12-30', by: '      revision: 30.12.2020' },
  { code: 'malformed-version', replace: 'version: "1.0.0"', by: 'version: 1.0' },
  { code: 'malformed-id', replace: 'id: linux.two', by: 'id: linux.Two' },
  { code: 'malformed-id', replace: 'requirements: [L-02]', by: 'requirements: [L2]' },
  { code: 'malformed-path', replace: 'path: /id, operator: in', by: 'path: id, operator: in' },
  { code: 'schema', replace: 'stage: guest', by: 'stage: gest' },
  { code: 'unknown-path', replace: 'path: /id, operator: in', by: 'path: /idd, operator: in' },
  { code: 'unknown-path', replace: 'path: /encryption', by: 'path: /encription' },
  { code: 'unknown-parameter', replace: 'path: /limit', by: 'path: /limits' },
  { code: 'unknown-list', replace: 'of: /volumes', by: 'of: /volume' },
  { code: 'unknown-placeholder', replace: '{/os/id}', by: '{/os/idd}' },
  { code: 'unknown-placeholder', replace: '{selected/device}', by: '{selected/devise}' },
  { code: 'unknown-rule', replace: 'whenFails: linux.one', by: 'whenFails: linux.none' },
  { code: 'malformed-placeholder', replace: '{/image/virtualSizeBytes|bytes}', by: '{/image/virtualSizeBytes|byte}' },
  { code: 'placeholder-not-single', replace: '{/os/id}', by: '{/os/windows}' },
  {
    code: 'operator-misfit',
    replace: 'path: /id, operator: in, value: [debian, centos]',
    by: 'path: /id, operator: "major:in", value: [9, 10]',
  },
  { code: 'value-type', replace: 'value: [debian, centos]', by: 'value: [9, 10]' },
  { code: 'impossible-value', replace: 'value: none', by: 'value: non' },
  {
    code: 'nested-count',
    replace: volumes,
    by: `{ fact: count, params: { of: /volumes, where: ${volumes} }, operator: equal, value: 0 }`,
  },
  { code: 'duplicate-rule-id', replace: 'id: linux.two', by: 'id: linux.one', nth: 2 },
  { code: 'rule-id-family', replace: 'id: linux.two', by: 'id: windows-server.two' },
  {
    code: 'case-order',
    replace: '      - when: { fact: os, path: /id, operator: equal, value: alpine }\n        message: "{/os',
    by: '      - message: "{/os',
  },
  { code: 'value-out-of-range', replace: 'value: [debian, centos]', by: 'value: [Debian, centos]' },
  { code: 'always-false', replace: condition, by: '{ fact: os, path: /windows/build, operator: lessThan, value: 0 }' },
  {
    code: 'contradiction',
    replace: condition,
    by: '{ all: [{ fact: os, path: /id, operator: equal, value: a }, { fact: os, path: /id, operator: equal, value: b }] }',
  },
  {
    code: 'contradiction',
    replace: volumes,
    by: '{ all: [{ fact: element, path: /sizeBytes, operator: greaterThan, value: 5 }, { fact: element, path: /sizeBytes, operator: lessThan, value: 3 }] }',
  },
  {
    code: 'contradiction',
    replace: condition,
    by: '{ all: [{ fact: os, path: /version, operator: "version:lessThan", value: "8.0" }, { fact: os, path: /version, operator: "major:greaterThanInclusive", value: 8 }] }',
  },
  {
    code: 'always-true',
    replace: condition,
    by: '{ fact: os, path: /windows/build, operator: greaterThanInclusive, value: 0 }',
  },
  {
    code: 'always-true',
    replace: condition,
    by: '{ any: [{ fact: os, path: /windows/build, operator: greaterThan, value: 3 }, { fact: os, path: /windows/build, operator: lessThan, value: 5 }] }',
  },
  {
    code: 'always-true',
    replace: 'operator: equal\n      value: 0',
    by: 'operator: greaterThanInclusive\n      value: 0',
    at: 'conditions:',
    nth: 2,
  },
  {
    code: 'presence-test',
    replace: condition,
    by: '{ fact: os, path: /type, operator: in, value: [windows, linux, freebsd] }',
  },
  {
    code: 'repeated-condition',
    replace: condition,
    by: `${condition}\n        - { fact: os, path: /id, operator: in, value: [centos, debian] }`,
    at: '[centos, debian]',
  },
  {
    code: 'duplicate-rule',
    replace: '    collect: Run blkid on every volume.\n',
    by: `    collect: Run blkid on every volume.
  - id: linux.three
    requirements: [L-02]
    title: Another
    source: { document: A source, revision: 2020-12-30, section: A section }
    effect: { fail: warn, unknown: warn }
    appliesWhen: { fact: os, path: /type, operator: equal, value: linux }
    notApplicable: It is no Linux.
    conditions: { fact: count, params: { of: /volumes, where: ${volumes} }, operator: equal, value: 0 }
    cases: [{ message: It fails., remediation: { stage: disk, steps: [Copy it.] } }]
    collect: Run blkid on every volume.
`,
    at: 'conditions: { fact: count',
  },
  {
    code: 'shadowed-case',
    replace: '      - message: "{/image',
    by: `      - when: { fact: os, path: /id, operator: equal, value: alpine }
        message: It is Alpine.
        remediation: { stage: guest, steps: [Install another system.] }
      - message: "{/image`,
    at: '- when: { fact: os',
    nth: 2,
  },
  {
    code: 'unreachable-case',
    replace: 'when: { fact: os, path: /id, operator: equal, value: alpine }',
    by: 'when: { all: [{ fact: os, path: /id, operator: equal, value: debian }, { fact: image, path: /virtualSizeBytes, operator: equal, value: 11 }] }',
  },
  {
    code: 'unused-parameter',
    replace: '  limit:',
    by: '  other: { value: 1, unit: bytes, provenance: a test }\n  limit:',
    at: '  other:',
  },
  { code: 'unfinished-text', replace: 'Install another system.', by: 'TODO' },
  { code: 'format-misfit', replace: '{/os/id}', by: '{/os/id|bytes}' },
  { code: 'unknown-requirement', replace: 'requirements: [L-02]', by: 'requirements: [L-02, L-03]' },
  { code: 'foreign-requirement', replace: 'requirements: [L-02]', by: 'requirements: [L-02, W-01]' },
  { code: 'repeated-requirement', replace: 'requirements: [L-02]', by: 'requirements: [L-02, L-02]' },
  { code: 'uncovered-requirement', replace: 'requirements: [L-02]', by: 'requirements: [L-01]', at: 'rules:' },
  { code: 'impossible-date', replace: '      revision: 2020-12-30', by: '      revision: 2020-02-30' },
  { code: 'source-differs', replace: '      document: A source', by: '      document: A sauce' },
  { code: 'in-force-too-early', replace: 'effectiveFrom: 2020-', by: 'effectiveFrom: 2019-' },
  {
    code: 'soft-unknown',
    replace: 'effect: { fail: block, unknown: block }',
    by: 'effect: { fail: block, unknown: warn }',
  },
  { code: 'malformed-requirements', in: 'requirements', replace: 'statement: Two }', by: 'statement: Two, or three }' },
  {
    code: 'duplicate-requirement',
    in: 'requirements',
    replace: '{ id: W-01',
    by: '{ id: L-01',
    at: 'statement: Three',
  },
  { code: 'malformed-lock', in: 'lock', replace: '"schema": ', by: 'schema: ', at: '{' },
  { code: 'schema', in: 'lock', replace: '"digest": "sha256:', by: '"digest": "sha512:' },
  { code: 'misplaced-file', replace: 'version: "1.0.0"', by: 'version: "1.0.1"' },
  {
    code: 'missing-release',
    in: 'lock',
    replace: '"policies": [',
    by: `"policies": [
    { "family": "linux", "version": "0.9.0", "digest": "sha256:${'0'.repeat(64)}", "effectiveFrom": "2019-01-01T00:00:00Z" },`,
    at: '0.9.0',
  },
  { code: 'release-date', in: 'lock', replace: '"effectiveFrom": "2020', by: '"effectiveFrom": "2021' },
  { code: 'test-misplaced', in: 'cases', replace: 'family: linux', by: 'family: unidentified' },
  { code: 'test-unknown-version', in: 'cases', replace: 'version: "1.0.0"', by: 'version: "1.1.0"' },
  { code: 'test-unknown-rule', in: 'cases', replace: '      linux.one', by: '      linux.ones' },
  { code: 'test-missing-base', in: 'cases', replace: 'ready.json', by: 'raedy.json' },
  {
    code: 'test-repeated-name',
    in: 'cases',
    replace: 'A small disk fails',
    by: 'Another system fails',
    at: 'Another system fails',
    nth: 2,
  },
  { code: 'unknown-member', in: 'cases', replace: 'outcome: not_ready', by: 'outcom: not_ready' },
]

t.test('a sound folder has no problems', async (t) => {
  t.same(found(inputOf(sound)), [])
})

for (const { code, in: name = 'policy', replace, by, at = by, nth = 1 } of mistakes) {
  t.test(`${code} is told at its line: ${by.slice(0, 60).trim() || 'left out'}`, async (t) => {
    t.ok(sound[name].includes(replace), 'the mistake can be made')
    const text = sound[name].replace(replace, () => by)
    const files = { ...sound, [name]: text, ...(name === 'policy' ? { lock: lockOf(text) } : {}) }
    const all = found(inputOf(files))
    const expected = `${paths[name]}:${lineOf(text, at.split('\n')[0] ?? '', nth)} ${code}`
    t.ok(all.includes(expected), expected, { all })
  })
}

t.test('a rule that passes wherever it applies, and one that fails there', async (t) => {
  const applies = 'appliesWhen: { fact: os, path: /type, operator: equal, value: linux }'
  const counted = /conditions:\n {6}fact: count[\s\S]*?value: 0\n/
  for (const [operator, code] of [
    ['equal', 'rule-never-fails'],
    ['notEqual', 'rule-never-passes'],
  ]) {
    const text = policy
      .replace(counted, `conditions: { fact: os, path: /type, operator: ${operator}, value: linux }\n`)
      .replace('{selected/device}', 'It')
    t.ok(text.includes(applies))
    const all = found(inputOf({ ...sound, policy: text, lock: lockOf(text) }))
    t.same(all, [`linux/1.0.0.yaml:${lineOf(text, 'conditions: { fact: os')} ${code}`])
  }
})

t.test('a test for presence hides no mistake around it', async (t) => {
  const known = '{ fact: element, path: /encryption, operator: in, value: [none, luks, bitlocker, geli, other] }'
  const text = policy
    .replace(volumes, known)
    .replace('operator: equal\n      value: 0', 'operator: lessThan\n      value: 0')
  const all = found(inputOf({ ...sound, policy: text, lock: lockOf(text) }))
  t.same(all, [
    `linux/1.0.0.yaml:${lineOf(text, 'conditions:', 2)} always-false`,
    `linux/1.0.0.yaml:${lineOf(text, known)} presence-test`,
  ])
})

t.test('a released body that changed is told at its version, a draft is only noted', async (t) => {
  const changed = policy.replace('A policy for tests', 'A policy for the test')
  t.same(found(inputOf({ ...sound, policy: changed })), ['linux/1.0.0.yaml:3 changed-release'])
  const draft = { ...sound, lock: '{ "schema": "imagegate.policy-lock/1", "policies": [] }' }
  t.same(found(inputOf(draft)), ['linux/1.0.0.yaml:3 unreleased'])
  const [entry = ''] = /\{ "family"[\s\S]*?\}/.exec(sound.lock) ?? []
  const twice = sound.lock.replace(entry, `${entry},\n${entry}`)
  t.same(found(inputOf({ ...sound, lock: twice })), ['policies.lock.json:7 repeated-release'])
})

t.test('dates that disagree with versions are told at the later version', async (t) => {
  const text = policy.replace('"1.0.0"', '"1.1.0"')
  const path = 'linux/1.1.0.yaml'
  const all = found(inputOf(sound, [{ file: path, path, text }]))
  t.same(all, [`${path}:3 unreleased`, `${path}:4 version-order`])
})

t.test('every problem is told at once, those of other rules beside what the schema refuses', async (t) => {
  const text = policy
    .replace('    collect: Run blkid on every volume.\n', '')
    .replace('path: /id, operator: in', 'path: /idd, operator: in')
    .replace('effectiveFrom: 2020-12-30T', 'effectiveFrom: 2020-12-32T')
    .replace('{/image/virtualSizeBytes|bytes}', '{/image/virtualSize|bytes}')
  const codes = lintFiles(inputOf({ ...sound, policy: text, lock: lockOf(text) })).map(({ code }) => code)
  t.same(codes.sort(), ['malformed-date', 'missing-collection-hint', 'unknown-path', 'unknown-placeholder'])
})

t.test('what was probably meant is the mend', async (t) => {
  const mend = (replace: string, by: string) => {
    const text = policy.replace(replace, by)
    return lintFiles(inputOf({ ...sound, policy: text, lock: lockOf(text) })).map((problem) => problem.mend)
  }
  t.match(mend('path: /id, operator: in', 'path: /idd, operator: in'), ['Did you mean /os/id?'])
  t.match(mend('operator: notEqual', 'operator: notEquals'), ['Did you mean notEqual?'])
  t.match(mend('value: none', 'value: non'), ['Did you mean none?'])
  t.match(mend('{selected/device}', '{selected/devise}'), ['Did you mean {selected/device}?'])
  t.match(mend('whenFails: linux.one', 'whenFails: linux.ona'), ['Did you mean linux.one?'])
  t.match(mend('of: /volumes', 'of: /volumess'), ['Did you mean /volumes?'])
})

t.test('every code has a mistake here that shows it', async (t) => {
  const elsewhere = [
    'rule-never-fails',
    'rule-never-passes',
    'changed-release',
    'unreleased',
    'repeated-release',
    'version-order',
    // A tree that the schema and the profile accept is refused by no version of json-rules-engine that we know.
    'engine-refused',
    // Told by the command, which reads the folder.
    'missing-lock',
  ]
  const shown = new Set([...mistakes.map(({ code }) => code), ...elsewhere])
  t.same(
    lintHeads.map(({ code }) => code).filter((code) => !shown.has(code)),
    [],
  )
})
