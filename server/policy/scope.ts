import type { FactDocument } from '../documents/facts.ts'
import type { Policy } from '../documents/policy.ts'
import type { Options } from '../documents/verdict.ts'
import { isObject, pointerTokens } from '../facts/pointer.ts'

/** All that a condition can read besides a list's element. */
export interface Scope {
  readonly facts: FactDocument
  /** The resolved options, which rules read under the name request. */
  readonly request: Options
  /** The policy's parameters by name. */
  readonly parameters: Readonly<Record<string, unknown>>
}

/** Reads one value; undefined when it is absent. */
export type Read = (scope: Scope, element: unknown) => unknown

/** The parameters of a policy, by name, as conditions read them. */
export function parametersOf(policy: Policy): Record<string, unknown> {
  return Object.fromEntries(Object.entries(policy.parameters).map(([name, parameter]) => [name, parameter.value]))
}

function reader(root: Read, tokens: readonly string[]): Read {
  const [first, second, ...rest] = tokens
  if (first === undefined) return root
  const step = (value: unknown, token: string): unknown => (isObject(value) ? value[token] : undefined)
  if (second === undefined) return (scope, element) => step(root(scope, element), first)
  if (rest.length === 0) return (scope, element) => step(step(root(scope, element), first), second)
  return (scope, element) => tokens.reduce<unknown>(step, root(scope, element))
}

/** A reader for a fact of a condition and a pointer in it. The pointer must be known to the schemas, as the profile checks. */
export function readFact(fact: string, path: string): Read {
  const tokens = pointerTokens(path)
  if (fact === 'element') return reader((_scope, element) => element, tokens)
  if (fact === 'request') return reader((scope) => scope.request, tokens)
  if (fact === 'parameters') return reader((scope) => scope.parameters, tokens)
  return reader((scope) => scope.facts, [fact, ...tokens])
}

/** A reader for a pointer into the fact document, or below /request or /parameters. */
export function readPointer(pointer: string): Read {
  const [first = '', ...rest] = pointerTokens(pointer)
  return readFact(first, rest.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''))
}
