import { Engine } from 'json-rules-engine'
import type { Condition, Policy } from '../../server/documents/policy.ts'
import type { Options } from '../../server/documents/verdict.ts'
import { addTypedOperators } from '../../server/evaluation/operators.ts'
import { pointerTokens, resolveTokens } from '../../server/facts/pointer.ts'
import { conditionTrees, referenceRule } from '../../server/policy/reference.ts'
import { parametersOf } from '../../server/policy/scope.ts'

type Facts = Readonly<Record<string, unknown>>

function engineFor(trees: readonly (readonly [string, Condition])[], facts: Facts, element?: unknown): Engine {
  const engine = addTypedOperators(
    new Engine([], {
      allowUndefinedFacts: true,
      pathResolver: (value, path) => resolveTokens(value, pointerTokens(path)),
    }),
  )
  for (const [name, condition] of trees) engine.addRule(referenceRule(name, condition))
  for (const [name, value] of Object.entries(facts)) engine.addFact(name, () => value)
  if (element !== undefined) engine.addFact('element', () => element)
  engine.addFact('count', async (params) => {
    const { of, where } = params as { of: string; where: Condition }
    const list = resolveTokens(facts, pointerTokens(of))
    if (!Array.isArray(list)) return undefined
    let selected = 0
    for (const one of list) if ((await truths([['where', where]], facts, one)).get('where')) selected += 1
    return selected
  })
  return engine
}

async function truths(trees: readonly (readonly [string, Condition])[], facts: Facts, element?: unknown) {
  const { results, failureResults } = await engineFor(trees, facts, element).run()
  const found = new Map([...results, ...failureResults].map(({ name, result }) => [name, Boolean(result)]))
  if (found.size !== trees.length) throw new Error(`${trees.length} rules planned, ${found.size} reported`)
  return found
}

/** The truth of every condition tree of a policy by json-rules-engine itself, by `rule place`. Nothing may be missing. */
export function referenceTruths(policy: Policy, sections: Facts, request: Options): Promise<Map<string, boolean>> {
  const trees = policy.rules.flatMap((rule) =>
    conditionTrees(rule).map(([place, condition]) => [`${rule.id} ${place}`, condition] as const),
  )
  return truths(trees, { ...sections, request, parameters: parametersOf(policy) })
}
