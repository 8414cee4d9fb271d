import { readdir, readFile } from 'node:fs/promises'
import t from 'tap'
import { sha256 } from '../../../server/digest.ts'
import type { Policy, Rule } from '../../../server/documents/policy.ts'
import { resultOfRule } from '../../../server/evaluation/evaluate.ts'
import { judge } from '../../../server/evaluation/judge.ts'
import { parseFacts } from '../../../server/facts/parse.ts'
import { basesOf } from '../../../server/policy/diff/bases.ts'
import { diffPolicies } from '../../../server/policy/diff/policy.ts'
import { loadPolicies, shippedPolicies } from '../../../server/policy/load.ts'
import { compilePolicy } from '../../../server/policy/program.ts'
import type { ReleasedPolicy } from '../../../server/policy/set.ts'
import { count, random, seed } from '../../support/long.ts'
import { changedPolicy, leafChanges } from '../../support/rule-changes.ts'
import { constantsOfRules, randomDocument } from '../../support/rule-documents.ts'

const top = new URL('../../../', import.meta.url)
const { versions } = await loadPolicies(shippedPolicies)

/** Every shipped rule as a policy of its own. */
const alone: readonly Policy[] = versions.flatMap(({ policy: { alternatives: _, ...rest } }) =>
  rest.rules.map((rule) => ({ ...rest, rules: [rule] })),
)

async function documents() {
  const names = (await readdir(new URL('examples/', top), { recursive: true })).filter((name) => name.endsWith('.json'))
  return Promise.all(
    names.map(async (name) => ({
      name,
      document: parseFacts(await readFile(new URL(`examples/${name}`, top))).document,
    })),
  )
}

const examples = await documents()

function basesFor(family: Policy['family']) {
  return basesOf(
    family,
    examples.filter(({ name }) => name.startsWith(family)),
  )
}

const bases = new Map(versions.map(({ family }) => [family, basesFor(family)]))

function released(policy: Policy): ReleasedPolicy {
  const text = JSON.stringify(policy)
  return {
    family: policy.family,
    version: policy.version,
    effectiveFrom: policy.effectiveFrom,
    digest: sha256(text),
    text,
    policy,
  }
}

function diffOf(before: ReleasedPolicy, after: Policy) {
  const young = { name: 'after', policy: released({ ...after, version: '2.0.0' }) }
  return diffPolicies({ name: 'before', policy: before }, young, { bases: bases.get(before.family) ?? [] })
}

const none = 0
const order = { fail: { inform: 1, warn: 2, block: 4 }, unknown: { inform: 1, warn: 2, block: 3 } } as const

/** What a rule contributes, worked out from the issue's own order and not from the code under test. */
function contribution(rule: Rule | undefined, result: string | undefined): number {
  return rule === undefined || (result !== 'fail' && result !== 'unknown') ? none : order[result][rule.effect[result]]
}

function ruleOf(policy: Policy, id: string): Rule {
  const rule = policy.rules.find((one) => one.id === id)
  if (rule === undefined) throw new Error(id)
  return rule
}

function judgeOf(policy: Policy, id: string) {
  const { parameters, rules } = compilePolicy(policy)
  const compiled = rules.find(({ rule }) => rule.id === id)
  if (compiled === undefined) throw new Error(id)
  return ({ document, options }: NonNullable<ReturnType<typeof randomDocument>>) =>
    contribution(compiled.rule, resultOfRule(compiled, { facts: document, request: options, parameters }))
}

function effectIn(policy: ReleasedPolicy, id: string, body: unknown, options: object): number {
  const { verdict } = judge(
    { versions: [policy] },
    parseFacts(Buffer.from(JSON.stringify(body))),
    { ...options, policyVersion: policy.version },
    new Date('2027-01-01T00:00:00Z'),
  )
  return contribution(ruleOf(policy.policy, id), verdict.findings.find(({ rule }) => rule === id)?.result)
}

t.test('claims agree with brute force, and every witness shows its direction', async (t) => {
  t.comment(`seed ${seed}`)
  const next = random(seed)
  const changes = count(200, 50)
  const wanted = count(50_000, 500)
  const seen: Record<string, number> = {}
  let tried = 0
  let told = 0
  for (let round = 0; round < changes; round += 1) {
    const shipped = alone[Math.floor(next() * alone.length)]
    if (shipped === undefined) throw new RangeError('no rule')
    const before = released(shipped)
    const after = { ...changedPolicy(shipped, next), version: '2.0.0' }
    const diff = diffOf(before, after)
    for (const { rule, change, reason, stricter, looser } of diff.rules) {
      seen[change] = (seen[change] ?? 0) + 1
      const where = `${rule}, round ${round}, seed ${seed}`
      if (change === 'undecided') {
        t.fail(`${where}: undecided, ${reason}`)
        continue
      }
      for (const [sign, witness] of [
        [1, stricter],
        [-1, looser],
      ] as const) {
        const claimed = change === 'mixed' || change === (sign === 1 ? 'stricter' : 'looser')
        if (claimed !== (witness !== undefined)) t.fail(`${where}: ${change} with ${sign} ${witness !== undefined}`)
        if (witness === undefined) continue
        const [old, young] = [before, released(after)].map((one) =>
          effectIn(one, rule, witness.document, witness.options),
        )
        if (Math.sign((young ?? 0) - (old ?? 0)) !== sign) t.fail(`${where}: the witness shows ${old} to ${young}`)
      }
      const [old, young] = [judgeOf(before.policy, rule), judgeOf(after, rule)]
      const constants = constantsOfRules([
        [ruleOf(before.policy, rule), before.policy],
        [ruleOf(after, rule), after],
      ])
      let [more, less] = [0, 0]
      for (let made = 0, dice = 0; made < wanted && dice < 4 * wanted; dice += 1) {
        const one = randomDocument(before.family, constants, next)
        if (one === undefined) continue
        made += 1
        tried += 1
        const difference = young(one) - old(one)
        if (difference > 0) more += 1
        if (difference < 0) less += 1
        const contradicts =
          (difference > 0 && change !== 'stricter' && change !== 'mixed') ||
          (difference < 0 && change !== 'looser' && change !== 'mixed')
        if (!contradicts) continue
        t.fail(`${where}: ${change}, and a document goes from ${old(one)} to ${young(one)}`, { one })
        break
      }
      if (change === 'text-only' || ((more > 0 || change === 'looser') && (less > 0 || change === 'stricter')))
        told += 1
    }
  }
  t.comment(`${tried} documents; ${JSON.stringify(seen)}; ${told} claims were seen in random documents alone`)
  t.ok(tried > 0 && (seen['stricter'] ?? 0) > 0 && (seen['looser'] ?? 0) > 0)
  t.ok(told > changes / 3, 'the random documents find most of what is claimed, so they can find what is not')
})

t.test('no shipped rule is undecided against a change of one of its leaves', (t) => {
  t.comment(`seed ${seed}`)
  const next = random(seed)
  const share = count(100, 12)
  let compared = 0
  for (const policy of alone) {
    for (const changed of leafChanges(policy, next)) {
      if (next() * 100 >= share) continue
      compared += 1
      for (const { rule, change, reason } of diffOf(released(policy), changed).rules) {
        if (change === 'undecided') t.fail(`${rule}: ${reason}, seed ${seed}`)
      }
    }
  }
  t.comment(`${compared} changes of one leaf`)
  t.ok(compared > 50)
  t.end()
})
