import { compilePolicy } from '../policy/program.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import { readYaml } from '../policy/yaml-text.ts'
import { runCases } from './cases.ts'
import { type Equivalent, mutantKey } from './equivalents.ts'
import { type Mutant, mutantsOf } from './mutants.ts'
import { changedRules, Killing } from './mutate.ts'
import { groundOf } from './seek.ts'
import type { BrokenCase, PreparedCase } from './situation.ts'
import { type Suggestion, suggest } from './suggest.ts'

/** A mutant that no case kills. */
export interface Survivor {
  readonly mutant: Mutant
  /** Line in the policy's file, counted from 1. */
  readonly line: number
  /** A case that would kill it; looked for in the first survivors alone. */
  readonly suggestion?: Suggestion
}

/** An entry of the list of equivalent mutants that must go. */
export interface Stale {
  readonly equivalent: Equivalent
  readonly why: 'no such mutant' | 'killed' | 'twice'
  /** The case that kills it. */
  readonly by?: PreparedCase
}

/** A policy with all its mutants tried. */
export interface MutationReport {
  readonly policy: ReleasedPolicy
  readonly mutants: number
  readonly killed: number
  readonly equivalent: number
  readonly survivors: readonly Survivor[]
  readonly stale: readonly Stale[]
}

/** How mutants are tried. */
export interface MutationOptions {
  /** For so many survivors a case that kills them is looked for. */
  readonly suggestions: number
  /** Chooses the mutants that are tried; all when it is left out, and only then are stale entries looked for. */
  readonly choose?: (mutant: Mutant) => boolean
  /** Told after every mutant, so that progress can be shown. */
  readonly progress?: (done: number, all: number, survivors: number) => void
}

/** A policy's own cases. */
function casesOf({ family, version }: ReleasedPolicy, cases: readonly (PreparedCase | BrokenCase)[]) {
  return cases.filter((one) => one.family === family && one.version === version)
}

/** Cases that do not hold for the policy itself, by file and line; with any, mutants tell nothing. */
export function failingCases(policy: ReleasedPolicy, cases: readonly (PreparedCase | BrokenCase)[]): string[] {
  const ran = runCases(compilePolicy(policy.policy), casesOf(policy, cases))
  return ran.flatMap(({ case: { file, line, one }, differences }) =>
    differences.length === 0 ? [] : [`${file}:${line} ${one.name}`],
  )
}

/** Entries that say of a mutant what is not so. */
function staleOf(listed: readonly Equivalent[], killers: ReadonlyMap<string, PreparedCase | undefined>): Stale[] {
  const seen = new Set<string>()
  return listed.flatMap((equivalent): Stale[] => {
    const key = mutantKey(equivalent)
    const twice = seen.has(key)
    seen.add(key)
    if (twice) return [{ equivalent, why: 'twice' }]
    if (!killers.has(key)) return [{ equivalent, why: 'no such mutant' }]
    const by = killers.get(key)
    return by === undefined ? [] : [{ equivalent, why: 'killed', by }]
  })
}

/** Runs a policy's cases against its mutants. The cases must hold for the policy itself. */
export function mutatePolicy(
  policy: ReleasedPolicy,
  cases: readonly (PreparedCase | BrokenCase)[],
  listed: readonly Equivalent[],
  { suggestions, choose, progress }: MutationOptions,
): MutationReport {
  const own = casesOf(policy, cases).flatMap((one) => ('reason' in one ? [] : [one]))
  const killing = new Killing(policy, own)
  const equivalent = new Set(listed.map(mutantKey))
  const mutants = mutantsOf(policy.policy).filter((mutant) => choose?.(mutant) ?? true)
  const killers = new Map<string, PreparedCase | undefined>()
  const alive: Mutant[] = []
  for (const [index, mutant] of mutants.entries()) {
    const killer = killing.killer(changedRules(mutant), mutant.rule)
    killers.set(mutantKey(mutant), killer)
    if (killer === undefined && !equivalent.has(mutantKey(mutant))) alive.push(mutant)
    progress?.(index + 1, mutants.length, alive.length)
  }
  const { at } = readYaml(policy.text)
  const ground = groundOf(policy.family, own)
  const survivors = alive.map((mutant, index): Survivor => {
    const survivor = { mutant, line: at(mutant.place).line }
    if (index >= suggestions) return survivor
    return { ...survivor, suggestion: suggest(mutant, changedRules(mutant), killing, ground, own) }
  })
  const killed = [...killers.values()].filter((killer) => killer !== undefined).length
  return {
    policy,
    mutants: mutants.length,
    killed,
    equivalent: mutants.length - killed - alive.length,
    survivors,
    stale: choose === undefined ? staleOf(listed, killers) : [],
  }
}
