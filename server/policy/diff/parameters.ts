import type { Policy, Rule } from '../../documents/policy.ts'
import { isObject } from '../../facts/pointer.ts'

const inTemplate = /\{\/parameters\/([A-Za-z0-9_.-]+)/g

function names(value: unknown): string[] {
  if (typeof value === 'string') return [...value.matchAll(inTemplate)].map(([, name]) => name ?? '')
  if (Array.isArray(value)) return value.flatMap(names)
  if (!isObject(value)) return []
  const { fact, path } = value
  const own = fact === 'parameters' && typeof path === 'string' ? [path.slice(1)] : []
  return [...own, ...Object.values(value).flatMap(names)]
}

/** Names of the parameters that a rule reads, in its conditions or its texts. */
export function parametersUsed(rule: Rule): string[] {
  return [...new Set(names(rule))]
}

/** Names of the parameters whose values differ, one that only one policy has among them. */
export function changedParameters(before: Policy, after: Policy): string[] {
  const all = new Set([...Object.keys(before.parameters), ...Object.keys(after.parameters)])
  const text = (policy: Policy, name: string) => JSON.stringify(policy.parameters[name]?.value)
  return [...all].filter((name) => text(before, name) !== text(after, name))
}
