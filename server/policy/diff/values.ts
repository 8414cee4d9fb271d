import type { PolicyDiff } from '../../documents/policy-diff.ts'

type Value = NonNullable<PolicyDiff['parameters'][number]['from']>

function isValue(value: unknown): value is Value {
  return value !== undefined && value !== null
}

/** The members from and to of a change; what is absent is left out. */
export function fromTo(from: unknown, to: unknown): { from?: Value; to?: Value } {
  return { ...(isValue(from) ? { from } : {}), ...(isValue(to) ? { to } : {}) }
}
