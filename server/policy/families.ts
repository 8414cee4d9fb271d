import type { Policy } from '../documents/policy.ts'

/** Every policy family, as the schema names them. */
export const families = [
  'windows-server',
  'linux',
  'nonstandard-linux',
  'unidentified',
] as const satisfies readonly Policy['family'][]
