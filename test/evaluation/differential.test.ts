import t from 'tap'
import type { Policy } from '../../server/documents/policy.ts'
import { compileCondition } from '../../server/policy/compile.ts'
import { loadPolicies, shippedPolicies } from '../../server/policy/load.ts'
import { conditionTrees } from '../../server/policy/reference.ts'
import { parametersOf, type Scope } from '../../server/policy/scope.ts'
import { completeSections, constantsOf, randomOptions, thinned } from '../support/documents.ts'
import { count, random, seed } from '../support/long.ts'
import { referenceTruths } from '../support/reference.ts'

const { versions } = await loadPolicies(shippedPolicies, { released: false })
const policies = versions.map(({ policy }) => policy)
const constants = constantsOf(policies)
const complete = count(10_000)
const partial = count(1_000)
t.comment(`seed ${seed}`)

function compiledTrees(policy: Policy) {
  return policy.rules.flatMap((rule) =>
    conditionTrees(rule).map(([place, condition]) => [`${rule.id} ${place}`, compileCondition(condition)] as const),
  )
}

function scopeOf(policy: Policy, sections: Record<string, unknown>, request: Scope['request']): Scope {
  const facts = { schema: 'imagegate.facts/1' as const, collection: { sources: [] }, ...sections }
  return { facts, request, parameters: parametersOf(policy) }
}

for (const policy of policies) {
  const trees = compiledTrees(policy)
  t.test(
    `${policy.family} ${policy.version}: compiled rules agree with json-rules-engine on ${complete} complete documents`,
    async (t) => {
      const next = random(seed)
      const seen = new Map<string, Set<boolean>>(trees.map(([name]) => [name, new Set<boolean>()]))
      for (let index = 0; index < complete; index += 1) {
        const sections = completeSections({}, constants, next)
        const request = randomOptions(constants, next)
        const expected = await referenceTruths(policy, sections, request)
        const scope = scopeOf(policy, sections, request)
        for (const [name, compiled] of trees) {
          const truth = compiled.test(scope, undefined)
          // An option that was not given is absent even in a complete document; a case that reads it is then not taken.
          const decided = name.includes(' cases/') ? truth === true : truth
          if (decided !== expected.get(name))
            t.fail(`${name} differs`, { truth, expected: expected.get(name), index, sections, request })
          if (truth !== undefined) seen.get(name)?.add(truth)
        }
      }
      const decided = [...seen.values()].filter((truths) => truths.size > 0)
      t.equal(decided.length, trees.length, 'every tree was decided on complete documents')
      const both = [...seen.values()].filter((truths) => truths.size === 2)
      t.comment(`${both.length} of ${trees.length} trees were seen both true and false`)
      t.ok(both.length > trees.length / 2, 'most trees were seen both true and false')
    },
  )

  t.test(
    `${policy.family} ${policy.version}: what is decided on ${partial} partial documents holds on their completions`,
    async (t) => {
      const next = random(seed + 1)
      let decided = 0
      for (let index = 0; index < partial; index += 1) {
        const whole = completeSections({}, constants, next)
        const part = thinned(whole, next() * 0.5, next) as Record<string, unknown>
        const request = randomOptions(constants, next)
        const scope = scopeOf(policy, part, request)
        const known = trees.flatMap(([name, compiled]) => {
          const truth = compiled.test(scope, undefined)
          return truth === undefined ? [] : [[name, truth] as const]
        })
        decided += known.length
        for (const completion of [
          whole,
          completeSections(part, constants, next),
          completeSections(part, constants, next),
        ]) {
          const expected = await referenceTruths(policy, completion, request)
          const wrong = known.filter(([name, truth]) => truth !== expected.get(name))
          if (wrong.length > 0) t.fail('decided too early', { wrong, part, completion, request })
        }
      }
      t.ok(decided > 0, `${decided} truths were decided on partial documents`)
    },
  )
}
