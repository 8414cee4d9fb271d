import type { Condition, Rule } from '../../documents/policy.ts'
import { compileCondition, type Kleene } from '../compile.ts'
import { type SearchResult, searchWorlds } from '../worlds.ts'
import { constantsIn } from './constancy.ts'
import type { Subject } from './subject.ts'

/** A condition and the truth that is sought of it. */
export interface Wanted {
  readonly condition: Condition
  readonly truth: boolean
}

/** Whether some document gives each condition its truth and leaves those of `never` false or unknown. */
export function together(
  wanted: readonly Wanted[],
  never: readonly Condition[],
  parameters: Readonly<Record<string, unknown>>,
): SearchResult {
  const sought = wanted.map(({ condition, truth }) => ({ test: compileCondition(condition).test, truth }))
  const avoided = never.map((condition) => compileCondition(condition).test)
  const parts = [...wanted.map(({ condition }) => condition), ...never].map((condition) => ({ condition, parameters }))
  const search = (absence: boolean) =>
    searchWorlds(
      parts,
      (world) => {
        const scope = { ...world, parameters }
        if (avoided.some((test) => test(scope, undefined) === true)) return 'hopeless'
        const truths = sought.map(({ test, truth }): [Kleene, boolean] => [test(scope, undefined), truth])
        if (truths.some(([got, truth]) => got !== undefined && got !== truth)) return 'hopeless'
        return truths.every(([got, truth]) => got === truth) ? 'found' : 'open'
      },
      absence,
    )
  const present = search(false)
  return present === 'found' || never.length === 0 ? present : search(true)
}

/** The rules without a mistaken condition, so that more can be said of their conditions together. A test for presence is none. */
export function varyingRules(subject: Subject): [index: number, rule: Rule][] {
  const mistaken = constantsIn(subject).filter(({ kind }) => kind !== 'presence')
  const constant = new Set(mistaken.map(({ node }) => node.place[1]))
  return [...subject.sound].filter(([index]) => !constant.has(index))
}
