import type { CompiledCondition, Kleene } from './compile.ts'
import type { Scope } from './scope.ts'

/** A condition on elements, the parameters that it reads, and the largest number that its count is compared with. */
export interface CountedCondition {
  readonly where: CompiledCondition
  readonly parameters: Scope['parameters']
  readonly most: number
}

/** Elements of one kind are alike to every condition that counts them. */
interface Kind {
  readonly element: unknown
  readonly truths: readonly Kleene[]
}

/** More distinguishable lists than this are not enumerated. */
const maxStates = 20_000

function kindsOf(
  elements: readonly unknown[],
  counted: readonly CountedCondition[],
  scope: Pick<Scope, 'facts' | 'request'>,
): Kind[] {
  const kinds = new Map<string, Kind>()
  for (const element of elements) {
    const truths = counted.map(({ where, parameters }) => where.test({ ...scope, parameters }, element))
    const key = truths.join()
    if (!kinds.has(key)) kinds.set(key, { element, truths })
  }
  return [...kinds.values()]
}

/** Bounds of each count after one more element: at least, at most, each no higher than one above what is compared. */
function add(bounds: readonly number[], { truths }: Kind, counted: readonly CountedCondition[]): number[] {
  return truths.flatMap((truth, index) => {
    const cap = (counted[index]?.most ?? 0) + 1
    const [atLeast = 0, atMost = 0] = [bounds[2 * index], bounds[2 * index + 1]]
    return [Math.min(cap, atLeast + (truth === true ? 1 : 0)), Math.min(cap, atMost + (truth === false ? 0 : 1))]
  })
}

/**
 * The shortest list for each combination of counts that elements can bring about, counted up to one above the largest number
 * compared: no condition tells any other list from one of these. Undefined when there are too many.
 */
export function distinctLists(
  elements: readonly unknown[],
  counted: readonly CountedCondition[],
  scope: Pick<Scope, 'facts' | 'request'>,
  maxItems: number,
): readonly (readonly unknown[])[] | undefined {
  const kinds = kindsOf(elements, counted, scope)
  const empty = counted.flatMap(() => [0, 0])
  const seen = new Set([empty.join()])
  const lists: (readonly unknown[])[] = [[]]
  let reached: { bounds: readonly number[]; list: readonly unknown[] }[] = [{ bounds: empty, list: [] }]
  for (let length = 1; reached.length > 0 && length <= maxItems; length += 1) {
    const longer: typeof reached = []
    for (const { bounds, list } of reached) {
      for (const kind of kinds) {
        const next = add(bounds, kind, counted)
        if (seen.has(next.join())) continue
        seen.add(next.join())
        longer.push({ bounds: next, list: [...list, kind.element] })
      }
    }
    if (seen.size > maxStates) return undefined
    lists.push(...longer.map(({ list }) => list))
    reached = longer
  }
  return lists
}
