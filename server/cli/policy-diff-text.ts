import type { PolicyDiff } from '../documents/policy-diff.ts'
import { raised } from '../policy/diff/bump.ts'

type RuleDiff = PolicyDiff['rules'][number]
type Witness = NonNullable<RuleDiff['stricter']>

const maxShown = 160

/** What each change means, in a few words. */
export const changeMeaning: Readonly<Record<RuleDiff['change'], string>> = {
  added: 'new',
  removed: 'gone',
  stricter: 'some documents fare worse, none better',
  looser: 'some documents fare better, none worse',
  mixed: 'some documents fare worse, some better',
  undecided: 'not decided; treated as mixed',
  'text-only': 'no document fares differently',
}

/** A value on one line, cut when it is long. */
export function valueText(value: unknown): string {
  if (value === undefined) return '(absent)'
  const text = JSON.stringify(value)
  return text.length > maxShown ? `${text.slice(0, maxShown).toWellFormed()}…` : text
}

/** One changed thing: where, from what, to what. */
export function changeText({ from, to }: { readonly from?: unknown; readonly to?: unknown }): string {
  return `${valueText(from)} → ${valueText(to)}`
}

/** What one policy says of a witness. */
export function judgedText({ result, contribution, outcome }: Witness['before']): string {
  const rule = result === undefined ? 'no such rule' : result.replaceAll('_', ' ')
  return `${rule}, contributes ${contribution}; outcome ${outcome.replaceAll('_', ' ')}`
}

/** The options that a witness is evaluated with, as arguments of evaluate. */
export function optionText({ options }: Witness): string {
  const { importAs, systemDiskBytes } = options
  return [
    ...(importAs === undefined ? [] : [`--import-as ${importAs}`]),
    ...(systemDiskBytes === undefined ? [] : [`--system-disk ${systemDiskBytes}`]),
  ].join(' ')
}

/** Number of rules by change, the changes with none left out. */
export function countsText({ rules }: PolicyDiff): string {
  const kinds = Object.keys(changeMeaning).flatMap((change) => {
    const count = rules.filter((rule) => rule.change === change).length
    return count === 0 ? [] : [`${count} ${change}`]
  })
  return kinds.length === 0 ? 'no rule differs' : kinds.join(', ')
}

/** What the change demands of the version, and whether it has it. */
export function versionText(diff: PolicyDiff): string {
  const { before, after, required, given, enough } = diff
  const change = `from ${before.version} to ${after.version}`
  if (required === 'none' && given === 'none') return 'Nothing changes that a version tells of.'
  if (enough && required === 'none') return `No change; the version goes ${change}.`
  if (enough) return `A ${required} change; the version goes ${change}, which is enough.`
  return `A ${required} change needs at least ${raised(before.version, required)}; the version goes ${change}.`
}

/** The directions of a rule that have a witness. */
export function witnessesOf(rule: RuleDiff): (readonly ['stricter' | 'looser', Witness])[] {
  const { stricter, looser } = rule
  return [
    ...(stricter === undefined ? [] : [['stricter', stricter] as const]),
    ...(looser === undefined ? [] : [['looser', looser] as const]),
  ]
}
