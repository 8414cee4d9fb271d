/** What a caller may be. */
export const roles = ['submitter', 'reader', 'auditor', 'operator', 'admin'] as const

export type Role = (typeof roles)[number]

/**
 * What a route asks of its caller. evaluate: to have documents judged. read: to see verdicts and their facts. audit: to
 * question the record as a whole. operate: to see how the service fares, for all tenants together and without verdicts.
 * any: to be known at all. public: nothing.
 */
export type Permission = 'evaluate' | 'read' | 'audit' | 'operate' | 'any' | 'public'

const granted: Readonly<Record<Role, readonly Permission[]>> = {
  submitter: ['evaluate'],
  reader: ['read'],
  auditor: ['read', 'audit'],
  operator: ['operate'],
  admin: ['evaluate', 'read', 'audit'],
}

/** Whether a text names a role. */
export function isRole(text: unknown): text is Role {
  return roles.some((role) => role === text)
}

/** Whether a caller of these roles may do it. */
export function may(held: readonly Role[], permission: Permission): boolean {
  if (permission === 'public') return true
  return held.some((role) => permission === 'any' || granted[role].includes(permission))
}
