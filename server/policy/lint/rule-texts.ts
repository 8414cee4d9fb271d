import type { Rule } from '../../documents/policy.ts'
import type { Place } from '../yaml-text.ts'
import type { Subject } from './subject.ts'

/** A text of a rule with its place. */
export interface RuleText {
  readonly text: string
  readonly place: Place
}

/** The texts of a rule that may hold placeholders. */
export function templatesOf({ cases, notApplicable }: Rule, index: number): RuleText[] {
  const at: Place = ['rules', index]
  const own = notApplicable === undefined ? [] : [{ text: notApplicable, place: [...at, 'notApplicable'] }]
  const ofCases = cases.flatMap(({ message, remediation: { steps, command } }, position) => {
    const place: Place = [...at, 'cases', position]
    return [
      { text: message, place: [...place, 'message'] },
      ...steps.map((text, step) => ({ text, place: [...place, 'remediation', 'steps', step] })),
      ...(command === undefined ? [] : [{ text: command, place: [...place, 'remediation', 'command'] }]),
    ]
  })
  return [...own, ...ofCases]
}

/** Every text of the rules that the profile accepts that is for people. */
export function textsOf({ sound }: Subject): RuleText[] {
  return [...sound].flatMap(([index, rule]) => {
    const { title, interpretation, collect, source } = rule
    const at: Place = ['rules', index]
    return [
      { text: title, place: [...at, 'title'] },
      ...Object.entries(source).map(([name, text]) => ({ text: String(text), place: [...at, 'source', name] })),
      ...(interpretation === undefined ? [] : [{ text: interpretation, place: [...at, 'interpretation'] }]),
      ...templatesOf(rule, index),
      { text: collect, place: [...at, 'collect'] },
    ]
  })
}
