import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256 } from '../digest.ts'
import { ImagegateError, type Problem } from '../errors.ts'
import { type LockedPolicy, lockProblems, parseLock } from './lock.ts'
import { parsePolicy } from './parse.ts'
import { compareSemver, type PolicySet, type ReleasedPolicy } from './set.ts'

/** The policies that come with the program. */
export const shippedPolicies = fileURLToPath(new URL('../../policies', import.meta.url))

/** The lock's file name, in the policies' folder. */
export const lockFile = 'policies.lock.json'

interface Loaded {
  readonly policies: readonly ReleasedPolicy[]
  readonly problems: readonly Problem[]
}

/** One policy's text, and what it is; or its problems. */
export interface ReadPolicy {
  readonly policy?: ReleasedPolicy
  readonly problems: readonly Problem[]
}

/** A policy's text wherever it stands; `file` names it in problems. */
export function readPolicyText(text: string, file: string): ReadPolicy {
  const parsed = parsePolicy(text, file)
  if (parsed.policy === undefined) return { problems: parsed.problems }
  const { policy } = parsed
  const { family, version, effectiveFrom, title } = policy
  return { policy: { family, version, effectiveFrom, title, digest: sha256(text), text, policy }, problems: [] }
}

/** A single policy file, by its path inside the policies' folder: family/version.yaml. */
export function readPolicy(text: string, file: string): ReadPolicy {
  const read = readPolicyText(text, file)
  if (read.policy === undefined) return read
  const expected = `${read.policy.family}/${read.policy.version}.yaml`
  return file === expected
    ? read
    : { problems: [{ file, message: `By its content this file belongs at ${expected}.` }] }
}

async function readFolder(folder: string): Promise<Loaded> {
  const policies: ReleasedPolicy[] = []
  const problems: Problem[] = []
  for (const family of (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory())) {
    const files = (await readdir(join(folder, family.name))).filter((name) => /\.ya?ml$/.test(name)).sort()
    for (const name of files) {
      const file = `${family.name}/${name}`
      const read = readPolicy(await readFile(join(folder, file), 'utf8'), file)
      problems.push(...read.problems)
      if (read.policy !== undefined) policies.push(read.policy)
    }
  }
  return { policies, problems }
}

/** Order by date and by version must agree, or which version is in force would be a matter of taste. */
function orderProblems(sorted: readonly ReleasedPolicy[]): Problem[] {
  return sorted.flatMap((policy, index): Problem[] => {
    const before = sorted[index - 1]
    if (before?.family !== policy.family) return []
    if (Date.parse(before.effectiveFrom) < Date.parse(policy.effectiveFrom)) return []
    const file = `${policy.family}/${policy.version}.yaml`
    return [
      { file, message: `It is in force from ${policy.effectiveFrom}, no later than ${before.version} before it.` },
    ]
  })
}

function marked(policy: ReleasedPolicy, locked: readonly LockedPolicy[]): ReleasedPolicy {
  const pinned = locked.find((one) => one.family === policy.family && one.version === policy.version)
  return pinned?.withdrawn === undefined ? policy : { ...policy, withdrawn: pinned.withdrawn }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new ImagegateError('FILE_UNREADABLE', `${path} cannot be read.`, { cause })
  }
}

/**
 * Loads every policy of a folder, all or nothing. With `released`, each must stand unchanged in the lock.
 * Throws POLICY_INVALID or POLICY_CHANGED with every problem, FILE_UNREADABLE when the folder cannot be read.
 */
export async function loadPolicies(
  folder: string,
  options: { released: boolean } = { released: true },
): Promise<PolicySet> {
  const lock = parseLock(await readText(join(folder, lockFile)), lockFile)
  const { policies, problems } = await readFolder(folder)
  const versions = policies
    .map((policy) => marked(policy, lock.policies))
    .sort((a, b) => a.family.localeCompare(b.family, 'en') || compareSemver(a.version, b.version))
  const invalid = [...problems, ...orderProblems(versions)]
  if (invalid.length > 0)
    throw new ImagegateError('POLICY_INVALID', 'The policies cannot be loaded.', { problems: invalid })
  if (!options.released) return { versions }
  const bodies = versions.map((policy) => ({ ...policy, file: `${policy.family}/${policy.version}.yaml` }))
  const changed = lockProblems(lock, bodies, lockFile)
  if (changed.length > 0)
    throw new ImagegateError('POLICY_CHANGED', 'Policies differ from the lock.', { problems: changed })
  return { versions }
}
