import t from 'tap'
import { movesBetween } from '../../server/authoring/impact-compare.ts'
import { keeper, sampleBound } from '../../server/authoring/impact-sample.ts'
import { exceeds } from '../../server/authoring/impact-tally.ts'
import type { RuleResult } from '../../server/evaluation/evaluate.ts'
import { outcomeOf } from '../../server/evaluation/summarize.ts'
import { random, seed } from '../support/long.ts'

t.comment(`seed ${seed}`)

const judged = (...results: readonly (readonly [string, RuleResult['result'], RuleResult['effect']])[]) => {
  const all = results.map(([rule, result, effect]) => ({ rule, result, effect }))
  return { results: all, outcome: outcomeOf(all) }
}
const decided = (moves: ReturnType<typeof movesBetween>) => moves.filter((one) => one.decisive).map((one) => one.rule)

t.test('a worse outcome is decided by the rules that reach it, not by others that changed too', async (t) => {
  const before = judged(['a', 'pass', 'none'], ['b', 'pass', 'none'], ['c', 'pass', 'none'], ['d', 'unknown', 'warn'])
  const after = judged(
    ['a', 'fail', 'block'],
    ['b', 'unknown', 'block'],
    ['c', 'fail', 'warn'],
    ['d', 'unknown', 'warn'],
  )
  const moves = movesBetween(before, after)
  t.same(
    moves.map(({ rule }) => rule),
    ['a', 'b', 'c'],
  )
  t.same(decided(moves), ['a'])
  t.same(moves[0], {
    rule: 'a',
    from: { result: 'pass', effect: 'none' },
    to: { result: 'fail', effect: 'block' },
    decisive: true,
  })
})

t.test('a better outcome is decided by every rule that stood above it', async (t) => {
  const before = judged(
    ['a', 'fail', 'block'],
    ['b', 'unknown', 'block'],
    ['c', 'fail', 'warn'],
    ['d', 'fail', 'inform'],
  )
  const after = judged(['a', 'pass', 'none'], ['b', 'pass', 'none'], ['c', 'fail', 'warn'], ['d', 'pass', 'none'])
  t.same(decided(movesBetween(before, after)), ['a', 'b'])
  t.same(decided(movesBetween(after, before)), ['a'], 'and back, the one that blocks')
})

t.test('rules that one side does not have, or that only stand elsewhere, are compared by their id', async (t) => {
  const before = judged(['gone', 'fail', 'block'], ['a', 'pass', 'none'], ['b', 'pass', 'none'])
  const after = judged(['b', 'pass', 'none'], ['a', 'pass', 'none'], ['new', 'fail', 'warn'])
  t.same(movesBetween(before, after), [
    { rule: 'new', to: { result: 'fail', effect: 'warn' }, decisive: false },
    { rule: 'gone', from: { result: 'fail', effect: 'block' }, decisive: true },
  ])
  t.same(movesBetween(before, before), [])
})

t.test(
  'of any two sets of results, an outcome that changed was decided by some rule, and one that stayed by none',
  async (t) => {
    const next = random(seed)
    const states = [
      ['pass', 'none'],
      ['not_applicable', 'none'],
      ['fail', 'inform'],
      ['fail', 'warn'],
      ['unknown', 'warn'],
      ['unknown', 'block'],
      ['fail', 'block'],
    ] as const
    const some = () =>
      judged(
        ...['a', 'b', 'c', 'd'].flatMap((rule) => {
          const state = states[Math.floor(next() * (states.length + 1))]
          return state === undefined ? [] : [[rule, ...state] as const]
        }),
      )
    let changed = 0
    for (let round = 0; round < 5000; round += 1) {
      const [before, after] = [some(), some()]
      const rules = decided(movesBetween(before, after))
      if (before.outcome !== after.outcome) changed += 1
      if (rules.length > 0 !== (before.outcome !== after.outcome)) t.fail('wrongly decided', { before, after, rules })
    }
    t.ok(changed > 1000, `${changed} outcomes changed`)
  },
)

async function* keys(count: number) {
  for (let index = 0; index < count; index += 1) yield `key ${index}`
}

t.test('a sample of a number has exactly so many, the same with the same seed and others with another', async (t) => {
  const drawn = async (size: number, from: number) => {
    const keep = keeper(await sampleBound({ count: size }, from, () => keys(3000)), from)
    const kept: string[] = []
    for await (const key of keys(3000)) if (keep(key)) kept.push(key)
    return kept
  }
  for (const size of [1, 17, 1000, 2999]) t.equal((await drawn(size, seed)).length, size)
  t.equal((await drawn(5000, seed)).length, 3000, 'all when there are fewer')
  t.same(await drawn(50, seed), await drawn(50, seed))
  t.notSame(await drawn(50, seed), await drawn(50, seed + 1))
  const share = keeper(await sampleBound({ share: 0.1 }, seed, () => keys(0)), seed)
  let kept = 0
  for await (const key of keys(3000)) if (share(key)) kept += 1
  t.ok(kept > 200 && kept < 400, `${kept} of 3000 are a tenth`)
})

t.test('a threshold is a number or a share of what was replayed', async (t) => {
  const counts = { found: 0, sampled: 0, skipped: 0, notReplayed: 0 }
  t.notOk(exceeds('0', { ...counts, changed: 0, replayed: 0 }))
  t.notOk(exceeds('3', { ...counts, changed: 3, replayed: 4 }))
  t.ok(exceeds('3', { ...counts, changed: 4, replayed: 4 }))
  t.notOk(exceeds('5%', { ...counts, changed: 5, replayed: 100 }))
  t.ok(exceeds('5%', { ...counts, changed: 6, replayed: 100 }))
  t.notOk(exceeds('0%', { ...counts, changed: 0, replayed: 0 }))
})
