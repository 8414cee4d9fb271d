import { canonicalize } from '../../digest.ts'
import type { Policy, Rule } from '../../documents/policy.ts'
import type { PolicyDiff } from '../../documents/policy-diff.ts'
import { parametersOf } from '../scope.ts'
import type { ReleasedPolicy } from '../set.ts'
import type { Bump } from './bump.ts'
import { type Direction, greatestAfter, towards } from './contribution.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { changedParameters, parametersUsed } from './parameters.ts'
import { compareRules, type Meaning, type RuleVersion } from './rule.ts'
import type { Base } from './slots.ts'
import { fromTo } from './values.ts'
import { type Witness, witnessOf } from './witness.ts'

type RuleDiff = PolicyDiff['rules'][number]
type Change = RuleDiff['change']
type Pair = readonly [ReleasedPolicy, ReleasedPolicy]

/** What the comparison starts from. */
export interface DiffOptions {
  /** Documents of the family, the most telling first. */
  readonly bases: readonly Base[]
  readonly limits?: Limits
}

function ruleBump(change: Change, meaning: Meaning): Bump {
  if (change === 'text-only') return 'patch'
  if (change === 'removed' || change === 'looser') return 'minor'
  // New advice keeps nothing from being ready.
  return change === 'added' && meaning.decided && greatestAfter(meaning.pairs) <= 1 ? 'minor' : 'major'
}

function witnessJson({ changes, document, ...rest }: Witness): NonNullable<RuleDiff['stricter']> {
  const { before, after, base, options } = rest
  const judged = ({ result, ...judgement }: Witness['before']) =>
    result === undefined ? judgement : { result, ...judgement }
  return {
    base,
    changes: changes.map(({ pointer, from, to }) => ({ pointer, ...fromTo(from, to) })),
    options,
    document,
    before: judged(before),
    after: judged(after),
  }
}

function changedMembers(before: Rule, after: Rule, changed: ReadonlySet<string>): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const differ = names.filter(
    (name) => canonicalize([Reflect.get(before, name)]) !== canonicalize([Reflect.get(after, name)]),
  )
  const used = [...new Set([...parametersUsed(before), ...parametersUsed(after)])].filter((name) => changed.has(name))
  return [...differ, ...used.map((name) => `parameters/${name}`)]
}

interface RulePair {
  readonly id: string
  readonly before: Rule | undefined
  readonly after: Rule | undefined
  readonly members: readonly string[]
}

function changeOf({ before, after }: RulePair, meaning: Meaning): Change {
  if (before === undefined) return 'added'
  if (after === undefined) return 'removed'
  if (!meaning.decided) return 'undecided'
  const stricter = (meaning.pairs & towards.stricter) !== 0
  const looser = (meaning.pairs & towards.looser) !== 0
  if (stricter && looser) return 'mixed'
  return stricter ? 'stricter' : looser ? 'looser' : 'text-only'
}

/** The witnesses of every direction that a meaning has, or the direction that none could be made for. */
function witnessesOf(
  id: string,
  meaning: Meaning & { decided: true },
  pair: Pair,
): { found: Pick<RuleDiff, Direction>; lacking: Direction[] } {
  const found: Pick<RuleDiff, Direction> = {}
  const lacking: Direction[] = []
  for (const direction of ['stricter', 'looser'] as const) {
    if ((meaning.pairs & towards[direction]) === 0) continue
    const witness = witnessOf(meaning.ways(direction), direction, id, pair)
    if (witness === undefined) lacking.push(direction)
    else found[direction] = witnessJson(witness)
  }
  return { found, lacking }
}

function ruleDiff(rules: RulePair, pair: Pair, { bases, limits = defaultLimits }: DiffOptions): RuleDiff {
  const { id: rule, before, after, members } = rules
  const version = (given: Rule | undefined, { policy }: ReleasedPolicy): RuleVersion | undefined =>
    given === undefined ? undefined : { rule: given, parameters: parametersOf(policy) }
  const meaning = compareRules(version(before, pair[0]), version(after, pair[1]), pair[0].family, bases, limits)
  const change = changeOf(rules, meaning)
  const head = { rule, change, bump: ruleBump(change, meaning), members: [...members] }
  if (!meaning.decided) return { ...head, reason: meaning.reason }
  const { found, lacking } = witnessesOf(rule, meaning, pair)
  if (lacking.length === 0 || change === 'added' || change === 'removed') return { ...head, ...found }
  const reason = `it looks ${lacking.join(' and ')}, and no valid document could be made that shows it`
  return { ...head, change: 'undecided', bump: 'major', reason, ...found }
}

/** Rules that differ in any way, in the order of the new policy, removed ones last. */
function rulePairs(before: Policy, after: Policy): RulePair[] {
  const changed = new Set(changedParameters(before, after))
  const old = new Map(before.rules.map((rule) => [rule.id, rule]))
  const young = new Set(after.rules.map(({ id }) => id))
  const kept = after.rules.map((rule): RulePair => {
    const was = old.get(rule.id)
    return {
      id: rule.id,
      before: was,
      after: rule,
      members: was === undefined ? [] : changedMembers(was, rule, changed),
    }
  })
  const gone = before.rules.filter(({ id }) => !young.has(id))
  return [
    ...kept.filter((pair) => pair.before === undefined || pair.members.length > 0),
    ...gone.map((rule): RulePair => ({ id: rule.id, before: rule, after: undefined, members: [] })),
  ]
}

/** What changes in the rules from one policy to another; rules that are equal in every member are left out. */
export function ruleDiffs(pair: Pair, options: DiffOptions): RuleDiff[] {
  return rulePairs(pair[0].policy, pair[1].policy).map((rules) => ruleDiff(rules, pair, options))
}
