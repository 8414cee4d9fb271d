import type { PolicyLock } from '../documents/policy-lock.ts'
import { ImagegateError, type Problem } from '../errors.ts'
import { matches, problemsOf } from '../schemas.ts'

/** One released version, as policies.lock.json pins it. */
export type LockedPolicy = PolicyLock['policies'][number]

/** Parses the text of policies.lock.json. Throws POLICY_INVALID. */
export function parseLock(text: string, file: string): PolicyLock {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ImagegateError('POLICY_INVALID', `${file} is not JSON.`, {
      problems: [{ file, message: 'It is not JSON.' }],
      cause,
    })
  }
  if (matches('policy-lock', value)) return value
  const problems = problemsOf('policy-lock', value).map((problem) => ({ ...problem, file }))
  throw new ImagegateError('POLICY_INVALID', `${file} is not a valid lock.`, { problems })
}

interface Body {
  readonly family: string
  readonly version: string
  readonly digest: string
}

/** Everything in which policy files and lock differ: bodies changed, not released, or gone. */
export function lockProblems(lock: PolicyLock, bodies: readonly Body[], lockFile: string): Problem[] {
  const key = (policy: { family: string; version: string }) => `${policy.family} ${policy.version}`
  const locked = new Map(lock.policies.map((policy) => [key(policy), policy]))
  const found = new Set(bodies.map(key))
  const problems = bodies.flatMap((body): Problem[] => {
    const pinned = locked.get(key(body))
    const file = `${body.family}/${body.version}.yaml`
    if (pinned === undefined) return [{ file, message: 'It is not released: the lock does not name it.' }]
    if (pinned.digest === body.digest) return []
    return [{ file, message: `It was released as ${pinned.digest}; its digest is now ${body.digest}.` }]
  })
  const gone = lock.policies.filter((policy) => !found.has(key(policy)))
  return [...problems, ...gone.map((policy) => ({ file: lockFile, message: `The file of ${key(policy)} is missing.` }))]
}

/** What a lock no longer says as it was said before: a release never changes, and a withdrawal is never taken back. */
export function brokenReleases(before: PolicyLock, after: PolicyLock, lockFile: string): Problem[] {
  return before.policies.flatMap((was): Problem[] => {
    const name = `${was.family} ${was.version}`
    const now = after.policies.find(({ family, version }) => family === was.family && version === was.version)
    if (now === undefined) return [{ file: lockFile, message: `${name} was released and is no longer named.` }]
    const differs = (['digest', 'effectiveFrom'] as const).filter((member) => now[member] !== was[member])
    const changed = differs.map((member): Problem => {
      return {
        file: lockFile,
        message: `${name} was released with ${member} ${was[member]}; it is now ${now[member]}.`,
      }
    })
    const back = was.withdrawn !== undefined && now.withdrawn === undefined
    return back ? [...changed, { file: lockFile, message: `${name} was withdrawn and is no longer.` }] : changed
  })
}
