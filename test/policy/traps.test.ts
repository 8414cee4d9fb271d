import t from 'tap'
import { parsePolicy } from '../../server/policy/parse.ts'

/** A small policy around one condition, in YAML flow style. */
function policyWith(conditions: string, more: { case?: string; rule?: string; parameters?: string } = {}): string {
  return `schema: imagegate.policy/1
family: linux
version: "9.0.0"
effectiveFrom: 2030-01-01T00:00:00Z
title: A policy for tests
parameters: ${more.parameters ?? '{ limit: { value: 10, unit: bytes, provenance: a test } }'}
rules:
  - id: linux.one
    requirements: [L-21]
    title: One rule
    source: { document: A source, revision: 2020-12-30, section: A section }
    effect: { fail: block, unknown: block }
    conditions: ${conditions}
    cases:
      - ${more.case ?? '{ message: It fails., remediation: { stage: guest, steps: [Mend it.] } }'}
    collect: Look at it.
${more.rule ?? ''}`
}

const good = '{ fact: os, path: /id, operator: equal, value: debian }'

function problems(text: string): string[] {
  return parsePolicy(text, 'linux/9.0.0.yaml').problems.map(({ line, message }) => `${line}: ${message}`)
}

t.test('a sound policy has no problems', async (t) => {
  t.same(problems(policyWith(good)), [])
})

const traps: readonly (readonly [name: string, conditions: string, message: RegExp])[] = [
  ['an empty all, which json-rules-engine passes', '{ all: [] }', /fewer than 1/],
  ['an empty any, which json-rules-engine passes', '{ any: [] }', /fewer than 1/],
  ['all and any side by side', `{ all: [${good}], any: [${good}] }`, /No such member/],
  ['an unknown key', '{ fact: os, path: /id, operator: equal, value: debian, vaule: centos }', /No such member/],
  [
    'a misspelt path, whose absence passes notEqual',
    '{ fact: os, path: /idd, operator: notEqual, value: debian }',
    /No fact is known at \/os\/idd/,
  ],
  [
    'a path on a section that is a list',
    '{ fact: volumes, path: /0/fileSystem, operator: equal, value: ext4 }',
    /No fact is known/,
  ],
  ['a missing path', '{ fact: os, operator: equal, value: debian }', /path/],
  [
    'an order of strings, which compares "9" above "10"',
    '{ fact: os, path: /version, operator: greaterThan, value: "10" }',
    /does not fit a string/,
  ],
  [
    'an order against a string',
    '{ fact: image, path: /virtualSizeBytes, operator: greaterThan, value: "10" }',
    /is a string.*want a integer/,
  ],
  [
    'in with a string, which is a substring test',
    '{ fact: os, path: /id, operator: in, value: debian-based }',
    /is a string.*want a list/,
  ],
  ['equal with a list', '{ fact: os, path: /id, operator: equal, value: [debian] }', /only be compared with in/],
  ['contains on a string', '{ fact: os, path: /name, operator: contains, value: Debian }', /does not fit a string/],
  [
    'everyFact, which passes on an empty list',
    '{ fact: volumes, path: /features, operator: "everyFact:equal", value: a }',
    /allowed values/,
  ],
  ['a pattern operator', '{ fact: os, path: /id, operator: matches, value: "deb.*" }', /allowed values/],
  [
    'a value that the fact can never have',
    '{ fact: image, path: /format, operator: equal, value: qcow3 }',
    /can never have this value/,
  ],
  [
    'a version decorator on what is no version',
    '{ fact: os, path: /name, operator: "version:lessThan", value: "1.0" }',
    /does not fit a string/,
  ],
  [
    'a value that is no version',
    '{ fact: os, path: /version, operator: "version:lessThan", value: "1.0-beta" }',
    /want a string/,
  ],
  ['a JSONPath', '{ fact: os, path: $.id, operator: equal, value: debian }', /pattern/],
  [
    'a count inside a count',
    `{ fact: count, params: { of: /volumes, where: { fact: count, params: { of: /disk/partitions, where: { fact: element, path: /role, operator: equal, value: root } }, operator: equal, value: 0 } }, operator: equal, value: 0 }`,
    /inside a count/,
  ],
  [
    'a count of what is no list',
    '{ fact: count, params: { of: /os, where: { fact: element, path: /id, operator: equal, value: a } }, operator: equal, value: 0 }',
    /no list of objects/,
  ],
  ['element outside a count', '{ fact: element, path: /fileSystem, operator: equal, value: ext4 }', /No fact is known/],
  [
    'a parameter that does not exist',
    '{ fact: image, path: /virtualSizeBytes, operator: lessThan, value: { fact: parameters, path: /limitt } }',
    /Nothing is known/,
  ],
  [
    'a parameter of another type',
    '{ fact: os, path: /id, operator: equal, value: { fact: parameters, path: /limit } }',
    /is a integer.*want a string/,
  ],
  ['a stored condition reference', '{ condition: shared }', /./],
  ['a fact that is no section', '{ fact: collection, path: /sources, operator: equal, value: a }', /allowed values/],
]

for (const [name, conditions, message] of traps) {
  t.test(`nobody can write ${name}`, async (t) => {
    const found = problems(policyWith(conditions))
    t.ok(found.length > 0, 'it is refused')
    t.match(found.join('\n'), message)
    t.match(found[0], /^(1[2-3]): /, 'at the line of the condition')
  })
}

t.test('every problem is reported at once, with line and column', async (t) => {
  const text = policyWith(
    '{ all: [{ fact: os, path: /x, operator: equal, value: a }, { fact: os, path: /y, operator: equal, value: b }] }',
    {
      case: '{ message: "{/os/nope} {bad", remediation: { stage: guest, steps: ["{/os/id|weird}"] } }',
    },
  )
  const parsed = parsePolicy(text, 'linux/9.0.0.yaml')
  t.equal(parsed.problems.length, 4)
  t.ok(
    parsed.problems.every(
      ({ file, line, column }) => file === 'linux/9.0.0.yaml' && (line ?? 0) >= 12 && (column ?? 0) > 1,
    ),
  )
})

const rule = (id: string) => `  - id: ${id}
    requirements: [L-21]
    title: Another rule
    source: { document: A source, revision: 2020-12-30, section: A section }
    effect: { fail: block, unknown: block }
    conditions: ${good}
    cases:
      - { message: It fails., remediation: { stage: guest, steps: [Mend it.] } }
    collect: Look at it.
`

t.test('an id stands once and begins with its family', async (t) => {
  t.match(problems(policyWith(good, { rule: rule('linux.one') })).join(), /17: The id linux.one stands twice/)
  t.match(problems(policyWith(good, { rule: rule('windows-server.one') })).join(), /begins with its family/)
})

t.test('names stand once, a version is quoted, and the text is YAML', async (t) => {
  t.match(problems(policyWith(good).replace('title: A policy', 'family: linux\ntitle: A policy')).join(), /unique/)
  t.match(problems(policyWith(good).replace('"9.0.0"', '9.1')).join(), /must be string/)
  t.match(problems('schema: [').join(), /1: /)
  t.same(problems(`${policyWith(good)}\nextra: *nothing\n`), ['18: No anchor before it is named nothing'])
  const many = Array.from({ length: 1001 }, () => '*a').join(', ')
  t.match(problems(`a: &a { b: c }\nd: &d [${many}]\ne: [*d, *d]`).join(), /alias/)
})

t.test('only the last case has no when', async (t) => {
  const one = 'message: It fails., remediation: { stage: guest, steps: [Mend it.] }'
  t.match(problems(policyWith(good, { case: `{ ${one} }\n      - { ${one} }` })).join(), /Only the last case/)
  t.match(problems(policyWith(good, { case: `{ when: ${good}, ${one} }` })).join(), /The last case has no when/)
})
