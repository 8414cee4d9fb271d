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
