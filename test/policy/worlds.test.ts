import t from 'tap'
import { compileCondition } from '../../server/policy/compile.ts'
import { loadPolicies, shippedPolicies } from '../../server/policy/load.ts'
import { conditionTrees } from '../../server/policy/reference.ts'
import { parametersOf } from '../../server/policy/scope.ts'
import { searchWorlds, type World } from '../../server/policy/worlds.ts'
import { completeSections, constantsOf, randomOptions, thinned } from '../support/documents.ts'
import { count, random, seed } from '../support/long.ts'

const { versions } = await loadPolicies(shippedPolicies, { released: false })
const constants = constantsOf(versions.map(({ policy }) => policy))
const next = random(seed)

function trees(index: number) {
  const policy = versions[index]?.policy
  if (policy === undefined) throw new RangeError(`${index}`)
  const parameters = parametersOf(policy)
  return policy.rules.flatMap((rule) =>
    conditionTrees(rule).map(([place, condition]) => {
      const compiled = compileCondition(condition)
      return {
        name: `${rule.id} ${place}`,
        part: { condition, parameters },
        test: (world: World) => compiled.test({ ...world, parameters }, undefined),
      }
    }),
  )
}

function randomWorld(): World {
  const whole = completeSections({}, constants, next)
  const sections = next() < 0.5 ? whole : (thinned(whole, next() * 0.3, next) as Record<string, unknown>)
  const facts = { schema: 'imagegate.facts/1' as const, collection: { sources: [] }, ...sections }
  return { facts, request: randomOptions(constants, next) }
}

/** Conditions that only ask whether a fact is known: true of every value it may have. */
const presenceOnly = ['unidentified.release conditions', 'windows-server.release appliesWhen']

t.test(
  'every condition of the shipped policies can be true and can be false, but for two that are true or unknown',
  async (t) => {
    for (const index of versions.keys()) {
      for (const { name, part, test } of trees(index)) {
        for (const wanted of [true, false]) {
          const judge = (world: World) => {
            const truth = test(world)
            return truth === wanted ? 'found' : truth === undefined ? 'open' : 'hopeless'
          }
          const expected = !wanted && presenceOnly.includes(name) ? 'none' : 'found'
          t.equal(searchWorlds([part], judge, false), expected, `${name}: ${wanted}`)
        }
      }
    }
  },
)

t.test('a condition and its opposite are never true together', async (t) => {
  for (const index of versions.keys()) {
    for (const { name, part, test } of trees(index)) {
      const opposite = compileCondition({ not: part.condition })
      const result = searchWorlds(
        [part, { ...part, condition: { not: part.condition } }],
        (world) => {
          const both = [test(world), opposite.test({ ...world, parameters: part.parameters }, undefined)]
          if (both.every((truth) => truth === true)) return 'found'
          return both.includes(false) ? 'hopeless' : 'open'
        },
        false,
      )
      t.not(result, 'found', name)
    }
  }
})

t.test('whatever pair of truths a random document shows, absent facts among them, a search finds', async (t) => {
  t.comment(`seed ${seed}`)
  const rounds = count(20_000, 400)
  let undecided = 0
  for (let round = 0; round < rounds; round += 1) {
    const all = trees(round % versions.length)
    const [left, right] = [all, all].map((choices) => choices[Math.floor(next() * choices.length)])
    if (left === undefined || right === undefined) continue
    const seen = randomWorld()
    const wanted = [left.test(seen), right.test(seen)] as const
    const result = searchWorlds(
      [left.part, right.part],
      (world, complete) => {
        const got = [left.test(world), right.test(world)] as const
        if (complete && got[0] === wanted[0] && got[1] === wanted[1]) return 'found'
        return got.some((truth, index) => truth !== undefined && truth !== wanted[index]) ? 'hopeless' : 'open'
      },
      true,
    )
    if (result === 'undecided') undecided += 1
    if (result === 'none')
      t.fail('a document has what no world has', { left: left.name, right: right.name, wanted, seen })
  }
  t.comment(`${undecided} of ${rounds} were too large to search`)
  t.ok(undecided < rounds / 10, 'nearly all were searched')
})
