import type { Alternative, MissingFact, Verdict } from '../documents/verdict.ts'
import { safeText } from './escape.ts'
import type { Layout } from './layout.ts'
import { outcomeWord } from './outcome-text.ts'
import { pad, widthOf, wrap } from './wrap.ts'

const maxMissing = 64

/** Which rules wait for a missing fact. */
export function waiting({ rules }: MissingFact): string {
  const alone = rules.filter((one) => one.alone).map(({ rule }) => rule)
  const among = rules.filter((one) => !one.alone).map(({ rule }) => rule)
  return [
    ...(alone.length === 0 ? [] : [`decides ${alone.join(', ')}`]),
    ...(among.length === 0 ? [] : [`is needed, with others, by ${among.join(', ')}`]),
  ].join('; ')
}

/** The facts to collect, each with the rules that wait for it and the collector's reason. */
export function missingLines(missing: readonly MissingFact[], { columns }: Layout): string[] {
  const lines = missing.slice(0, maxMissing).flatMap((fact) => {
    const given = [fact.code, fact.reason].filter((part) => part !== undefined).join(': ')
    const reason = given === '' ? [] : wrap(safeText(given), columns, '      The collector says ')
    return [...wrap(`${safeText(fact.pointer)} ${safeText(waiting(fact))}`, columns, '  - '), ...reason]
  })
  const more = missing.length - maxMissing
  return more > 0 ? [...lines, `  and ${more} more; --format json has them all`] : lines
}

/** Which rules an alternative does not pass. */
export function notPassed(alternative: Alternative): string {
  const rules = alternative.notPassed.map(({ effect, result, rule }) => `${rule} (${result}, ${effect})`)
  return rules.length === 0 ? 'every rule passes' : `not passed: ${rules.join(', ')}`
}

/** What the non-standard types would answer. */
export function alternativeLines(alternatives: readonly Alternative[], { columns, paint }: Layout): string[] {
  return alternatives.flatMap((alternative) => {
    const { importAs, outcome, policy } = alternative
    return [
      `  --import-as ${safeText(importAs)}: ${outcomeWord(outcome, paint)}`,
      ...wrap(safeText(`${policy.family} ${policy.version}, ${policy.digest}`), columns, '    '),
      ...wrap(safeText(notPassed(alternative)), columns, '    '),
    ]
  })
}

/** The parameters of the cloud's ImportImage call, as far as the facts tell them. */
export function parameterLines(parameters: Verdict['importParameters']): string[] {
  const entries = Object.entries(parameters)
  const width = Math.max(0, ...entries.map(([name]) => widthOf(name)))
  return entries.map(([name, value]) => `  ${pad(safeText(name), width)}  ${safeText(String(value))}`)
}
