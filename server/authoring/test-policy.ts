import type { Finding } from '../documents/verdict.ts'
import { compilePolicy, type Program } from '../policy/program.ts'
import { renderCondition } from '../policy/render.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import { type Place, readYaml } from '../policy/yaml-text.ts'
import { type RanCase, runCases } from './cases.ts'
import { coverageOf, type RuleCoverage, truths } from './coverage.ts'
import { seekResult, seekTruth } from './reach.ts'
import { type Ground, groundOf, type Sought } from './seek.ts'
import type { BrokenCase, PreparedCase } from './situation.ts'
import { type Change, changeOf } from './suggestion.ts'

/** What no case brings about: a result of a rule, or a truth of a leaf. */
export interface Gap {
  /** Line in the policy's file, counted from 1. */
  readonly line: number
  readonly rule: string
  /** The leaf as text; undefined for the rule itself. */
  readonly leaf?: string
  readonly missing: string
  /** A change of a base document that brings it about; looked for in the first gaps alone. */
  readonly change?: Change
}

/** How much of a policy its cases exercise. */
export interface Coverage {
  readonly rules: number
  readonly leaves: number
  /** Results and truths that some document can bring about. */
  readonly possible: number
  readonly covered: number
  readonly gaps: readonly Gap[]
  /** What no document of the family can bring about, found by trying every combination of values that matter. */
  readonly impossible: readonly Gap[]
}

/** A policy with its cases run. */
export interface PolicyReport {
  readonly policy: ReleasedPolicy
  readonly ran: readonly RanCase[]
  readonly coverage: Coverage
}

/** For so many gaps the nearest document is shown; for the others it is only found out whether there is one. */
const maxChanges = 20

interface Wanted extends Omit<Gap, 'line' | 'change'> {
  readonly place: Place
  seek(ground: Ground): Sought
}

function wantedResults(appliesWhen: unknown): Finding['result'][] {
  return ['pass', 'fail', 'unknown', ...(appliesWhen === undefined ? [] : (['not_applicable'] as const))]
}

/** Everything of a rule that no case brings about. */
function openOf({ index, rule, results, leaves }: RuleCoverage, program: Program): Wanted[] {
  const compiled = program.rules[index]
  const { parameters } = program
  if (compiled === undefined) return []
  const place = ['rules', index]
  const ofRule = wantedResults(rule.appliesWhen).flatMap((missing): Wanted[] => {
    const seek = (ground: Ground) => seekResult(compiled, parameters, missing, ground)
    return results.has(missing) ? [] : [{ place, rule: rule.id, missing, seek }]
  })
  const ofLeaves = leaves.flatMap(({ leaf, truths: reached }) =>
    truths.flatMap((missing): Wanted[] => {
      if (reached.has(missing)) return []
      const seek = (ground: Ground) => seekTruth(leaf, parameters, missing, ground)
      return [{ place: [...place, ...leaf.place], rule: rule.id, leaf: renderCondition(leaf.condition), missing, seek }]
    }),
  )
  return [...ofRule, ...ofLeaves]
}

function coverage(policy: ReleasedPolicy, program: Program, cases: readonly PreparedCase[]): Coverage {
  const rules = coverageOf(
    program,
    cases.map(({ changed }) => changed),
  )
  const ground = groundOf(policy.family, cases)
  const quick = { ...ground, bases: ground.bases.slice(0, 1) }
  const { at } = readYaml(policy.text)
  const gaps: Gap[] = []
  const impossible: Gap[] = []
  for (const { place, seek, ...rest } of rules.flatMap((rule) => openOf(rule, program))) {
    const gap = { ...rest, line: at(place).line }
    const sought: Sought =
      cases.length === 0 ? { status: 'undecided' } : seek(gaps.length < maxChanges ? ground : quick)
    if (sought.status === 'none') impossible.push(gap)
    else
      gaps.push(
        sought.status === 'found' && gaps.length < maxChanges ? { ...gap, change: changeOf(sought.found) } : gap,
      )
  }
  const leaves = rules.reduce((sum, rule) => sum + rule.leaves.length, 0)
  const all = rules.reduce((sum, { rule }) => sum + wantedResults(rule.appliesWhen).length, leaves * truths.length)
  const possible = all - impossible.length
  return { rules: rules.length, leaves, possible, covered: possible - gaps.length, gaps, impossible }
}

/** Percent covered, rounded down to hundredths: 100 means all. */
export function percentOf({ possible, covered }: Pick<Coverage, 'possible' | 'covered'>): number {
  return possible === 0 ? 100 : Math.floor((covered * 10_000) / possible) / 100
}

/** Runs a policy's cases and measures what they cover. */
export function testPolicy(policy: ReleasedPolicy, all: readonly (PreparedCase | BrokenCase)[]): PolicyReport {
  const program = compilePolicy(policy.policy)
  const own = all.filter(({ family, version }) => family === policy.family && version === policy.version)
  const sound = own.flatMap((one) => ('reason' in one ? [] : [one]))
  return { policy, ran: runCases(program, own), coverage: coverage(policy, program, sound) }
}
