import { Rule as EngineRule, type RuleProperties, type TopLevelCondition } from 'json-rules-engine'
import type { Condition, Rule } from '../documents/policy.ts'

/** json-rules-engine wants all, any or not at the root; a single comparison is wrapped. */
function rooted(condition: Condition): TopLevelCondition {
  return 'all' in condition || 'any' in condition || 'not' in condition ? condition : { all: [condition] }
}

/** One condition tree of a rule as json-rules-engine's rule: the reference that the compiled closures are checked against. */
export function referenceRule(name: string, condition: Condition): RuleProperties {
  return { name, conditions: rooted(condition), event: { type: name } }
}

/** The condition trees of a rule by their place in it. */
export function conditionTrees(rule: Rule): [place: string, condition: Condition][] {
  const cases = rule.cases.flatMap((one, index): [string, Condition][] =>
    one.when === undefined ? [] : [[`cases/${index}/when`, one.when]],
  )
  const applies: [string, Condition][] = rule.appliesWhen === undefined ? [] : [['appliesWhen', rule.appliesWhen]]
  return [...applies, ['conditions', rule.conditions], ...cases]
}

/** What json-rules-engine itself says against a rule, if anything: it stays the authority on the format. */
export function referenceProblem(rule: Rule): string | undefined {
  for (const [place, condition] of conditionTrees(rule)) {
    try {
      new EngineRule(referenceRule(`${rule.id} ${place}`, condition))
    } catch (error) {
      return `${place}: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  return undefined
}
