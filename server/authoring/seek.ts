import type { Policy } from '../documents/policy.ts'
import type { Options as CaseOptions } from '../documents/policy-test.ts'
import { type Part, variablesOf } from '../policy/variables.ts'
import { type Judgement, searchWorlds, type World } from '../policy/worlds.ts'
import { concrete, isSound, minimal, readsIn } from './concrete.ts'
import { isPossible, readsOf } from './possible.ts'
import { type Samples, samplesOf } from './samples.ts'
import type { PreparedCase, Situation } from './situation.ts'

/** A base document that cases of the policy use, with its options. */
export interface Base {
  readonly path: string
  readonly options: CaseOptions
  readonly situation: Situation
}

/** What a policy's cases offer to one who looks for another case. */
export interface Ground {
  readonly family: Policy['family']
  readonly bases: readonly Base[]
  readonly samples: Samples
}

/** A situation that was looked for, and the base that it is a change of. */
export interface Found {
  readonly base: Base
  readonly situation: Situation
}

/** What a search came to: none when no document and no options can be what was looked for, undecided when there was too much to try. */
export type Sought = { readonly status: 'found'; readonly found: Found } | { readonly status: 'none' | 'undecided' }

/** More situations than this that fit but may not be are too many. */
const maxRefused = 60

/** The ground that prepared cases give; bases that many cases use come first. */
export function groundOf(family: Policy['family'], cases: readonly PreparedCase[]): Ground {
  const counted = new Map<Situation, { readonly base: Base; uses: number }>()
  for (const { base: situation, basePath: path, options, changed } of cases) {
    const known = counted.get(situation)
    if (known !== undefined) known.uses += 1
    else if (JSON.stringify(changed.request) === JSON.stringify(situation.request)) {
      counted.set(situation, { base: { path, options, situation }, uses: 1 })
    }
  }
  const bases = [...counted.values()].sort((a, b) => b.uses - a.uses).map(({ base }) => base)
  return { family, bases, samples: samplesOf(cases) }
}

function size(base: Situation, { facts, request }: Situation): number {
  const distance = (left: unknown, right: unknown): number => {
    if (left === right) return 0
    if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return 1
    const names = new Set([...Object.keys(left), ...Object.keys(right)])
    return [...names].reduce((sum, name) => sum + distance(Reflect.get(left, name), Reflect.get(right, name)), 0)
  }
  return distance(base.facts, facts) + distance(base.request, request)
}

/**
 * Looks for a situation that `judge` has found, among all that the parts can tell apart, and gives the one nearest to a base.
 * `accept` may refuse one that is otherwise right. A judge must never lose hope of what only more facts could bring.
 */
export function seek(
  parts: readonly Part[],
  { family, bases, samples }: Ground,
  judge: (world: World, complete: boolean) => Judgement,
  accept: (found: Found) => boolean = () => true,
): Sought {
  const variables = variablesOf(parts)
  if (variables === undefined) return { status: 'undecided' }
  const reads = readsIn(variables)
  const choice = readsOf(new Set(reads.map(({ pointer }) => pointer)))
  let best: Found | undefined
  let refused = 0
  const tryBase = (base: Base, world: World) => {
    const holds = (situation: Situation) =>
      isSound(situation, family) && judge(situation, true) === 'found' && accept({ base, situation })
    const made = concrete(base.situation, world, reads, samples, family)
    if (made === undefined || !holds(made)) return
    const found = { base, situation: minimal(base.situation, made, reads, holds) }
    if (best === undefined || size(base.situation, found.situation) < size(best.base.situation, best.situation))
      best = found
  }
  const search = (world: World, complete: boolean): Judgement => {
    if (!isPossible(world, complete, family, choice)) return 'hopeless'
    const judgement = judge(world, complete)
    const going = complete ? 'hopeless' : 'open'
    if (judgement !== 'found') return judgement
    if (!complete && !isPossible(world, true, family, choice)) return going
    for (const base of bases) tryBase(base, world)
    if (best !== undefined) return 'found'
    refused += 1
    return refused > maxRefused ? 'found' : going
  }
  const result = searchWorlds(parts, search, true)
  if (best !== undefined) return { status: 'found', found: best }
  return { status: result === 'none' ? 'none' : 'undecided' }
}
