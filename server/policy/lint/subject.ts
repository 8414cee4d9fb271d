import type { Policy, Rule } from '../../documents/policy.ts'
import { isObject } from '../../facts/pointer.ts'
import { errorsOf, matches } from '../../schemas.ts'
import { profileProblems } from '../profile.ts'
import { referenceProblem } from '../reference.ts'
import type { Place } from '../yaml-text.ts'
import { type Found, type Head, type LintProblem, meantMend, placed, type ReadSource } from './head.ts'
import { engineHead, profileHead } from './profile-heads.ts'
import type { Requirements } from './requirements.ts'
import { schemaFinding } from './schema-heads.ts'

/** A policy as far as it can be read: rules that the schema refuses are left out, so that all problems are found at once. */
export interface Subject extends ReadSource {
  readonly policy: Policy
  /** Whether the schema refuses nothing. */
  readonly whole: boolean
  /** The rules whose conditions and templates the profile accepts, by their index in policy. */
  readonly sound: ReadonlyMap<number, Rule>
  readonly requirements: Requirements | undefined
}

/** One rule of lint that looks at a policy by itself. */
export interface PolicyRule {
  readonly head: Head
  check(subject: Subject): readonly Found[]
}

/** Values in the place of members that the schema refuses; none of them is found wanting. */
const standIns = { version: '0.0.0', effectiveFrom: '9999-12-31T00:00:00Z', title: '-' }

function isStandIn(name: string): name is keyof typeof standIns {
  return Object.hasOwn(standIns, name)
}

/** The part of a value that the schema accepts, and the index that each of its rules has in the file. */
function salvage(value: unknown, wrong: readonly Place[]): { policy: Policy; indices: number[] } | undefined {
  const rules: unknown = isObject(value) ? value['rules'] : undefined
  if (!isObject(value) || !Array.isArray(rules)) return undefined
  const refused = new Set(wrong.map(([first, index]) => (first === 'rules' ? Number(index) : -1)))
  const indices = [...rules.keys()].filter((index) => !refused.has(index))
  const replaced = wrong.flatMap(([name]) =>
    typeof name === 'string' && isStandIn(name) ? [[name, standIns[name]]] : [],
  )
  const unknown = new Set(wrong.flatMap(([name, ...below]) => (below.length === 0 && name !== 'rules' ? [name] : [])))
  const known = Object.entries(value).filter(([name]) => !unknown.has(name))
  const kept = { ...Object.fromEntries([...known, ...replaced]), rules: indices.map((index): unknown => rules[index]) }
  return matches('policy', kept) ? { policy: kept, indices } : undefined
}

/** Puts the index that a rule has in the file in the place of the one that it has in the policy. */
function inFile(place: Place, indices: readonly number[]): Place {
  const [first, index, ...rest] = place
  return first === 'rules' && typeof index === 'number' ? [first, indices[index] ?? index, ...rest] : place
}

function soundnessFindings(policy: Policy): { head: Head; found: Found }[] {
  const found = profileProblems(policy).map(({ path, code, message, meant }) => {
    return { head: profileHead(code), found: { place: path, message, ...meantMend(meant) } }
  })
  const refused = policy.rules.flatMap((rule, index) => {
    const message = referenceProblem(rule)
    return message === undefined ? [] : [{ head: engineHead, found: { place: ['rules', index], message } }]
  })
  return [...found, ...refused]
}

/** Every problem of one policy by itself, and the policy when its schema accepts it whole. */
export function lintPolicy(
  source: ReadSource,
  rules: readonly PolicyRule[],
  requirements: Requirements | undefined,
): { policy?: Policy; problems: LintProblem[] } {
  const { value } = source.yaml
  const refused = matches('policy', value)
    ? []
    : errorsOf('policy', value).map((error) => schemaFinding('policy', value, error))
  const problems = refused.map(({ head, found }) => placed(head, source, found))
  const kept = matches('policy', value)
    ? { policy: value, indices: [...value.rules.keys()] }
    : salvage(
        value,
        refused.map(({ found }) => found.place),
      )
  if (kept === undefined) return { problems }
  const { policy, indices } = kept
  const report = (head: Head, found: Found) =>
    problems.push(placed(head, source, { ...found, place: inFile(found.place, indices) }))
  const unsound = soundnessFindings(policy)
  for (const { head, found } of unsound) report(head, found)
  const wrong = new Set(unsound.map(({ found }) => found.place[1]))
  const sound = new Map([...policy.rules.entries()].filter(([index]) => !wrong.has(index)))
  const whole = refused.length === 0
  const subject: Subject = { ...source, policy, whole, sound, requirements }
  for (const rule of rules) for (const found of rule.check(subject)) report(rule.head, found)
  return { problems, ...(whole ? { policy } : {}) }
}
