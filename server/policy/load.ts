import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256 } from '../digest.ts'
import type { Policy } from '../documents/policy.ts'
import type { PolicyLock } from '../documents/policy-lock.ts'
import { ImagegateError, type Problem } from '../errors.ts'
import { type LockedPolicy, lockProblems, parseLock } from './lock.ts'
import { parsePolicy } from './parse.ts'
import { parsedPolicy } from './parsed.ts'
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
  const { family, version, effectiveFrom } = policy
  return { policy: { family, version, effectiveFrom, digest: sha256(text), text, policy }, problems: [] }
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

const invalid = (problems: readonly Problem[]) =>
  new ImagegateError('POLICY_INVALID', 'The policies cannot be loaded.', { problems })

/**
 * A body that is byte for byte what was released. It was checked then, so it is parsed when it is first asked for:
 * one verdict needs one family of four, and parsing them all takes longer than collecting from a disk image.
 */
function unchanged(text: string, locked: LockedPolicy): ReleasedPolicy {
  const { family, version, digest, effectiveFrom } = locked
  const file = `${family}/${version}.yaml`
  const parsed = () => {
    const read = readPolicy(text, file)
    if (read.policy === undefined) throw invalid(read.problems)
    return read.policy.policy
  }
  const fitting = (one: Policy) => {
    if (one.family === family && one.version === version && one.effectiveFrom === effectiveFrom) return one
    const says = `${family} ${version}, in force from ${effectiveFrom}`
    const message = `It is ${one.family} ${one.version}, in force from ${one.effectiveFrom}; the lock says ${says}.`
    throw invalid([{ file, message }])
  }
  let policy: Policy | undefined
  return {
    family,
    version,
    effectiveFrom,
    digest,
    text,
    get policy() {
      policy ??= fitting(parsedPolicy(digest) ?? parsed())
      return policy
    },
    ...(locked.withdrawn === undefined ? {} : { withdrawn: locked.withdrawn }),
  }
}

/** The texts of a set of policies, before anything is made of them. */
export interface PolicyTexts {
  /** Text of policies.lock.json. */
  readonly lock: string
  /** Texts of the policy files by their path inside the folder: family/version.yaml. */
  readonly files: ReadonlyMap<string, string>
}

async function readFamilies(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const family of (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory())) {
    const names = (await readdir(join(folder, family.name))).filter((name) => /\.ya?ml$/.test(name)).sort()
    for (const name of names)
      files.set(`${family.name}/${name}`, await readFile(join(folder, family.name, name), 'utf8'))
  }
  return files
}

/** Reads the lock and every policy file of a folder. Throws FILE_UNREADABLE. */
export async function readPolicyTexts(folder: string): Promise<PolicyTexts> {
  const lock = await readText(join(folder, lockFile))
  try {
    return { lock, files: await readFamilies(folder) }
  } catch (cause) {
    throw new ImagegateError('FILE_UNREADABLE', `The policies in ${folder} cannot be read.`, { cause })
  }
}

function readFiles(files: PolicyTexts['files'], { policies: locked }: PolicyLock, released: boolean): Loaded {
  const policies: ReleasedPolicy[] = []
  const problems: Problem[] = []
  for (const [file, text] of files) {
    const pinned = locked.find((one) => file === `${one.family}/${one.version}.yaml`)
    if (released && pinned !== undefined && pinned.digest === sha256(text)) {
      policies.push(unchanged(text, pinned))
      continue
    }
    const read = readPolicy(text, file)
    problems.push(...read.problems)
    if (read.policy === undefined) continue
    policies.push(pinned?.withdrawn === undefined ? read.policy : { ...read.policy, withdrawn: pinned.withdrawn })
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

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new ImagegateError('FILE_UNREADABLE', `${path} cannot be read.`, { cause })
  }
}

/**
 * Makes a set of texts, all or nothing. With `released`, each must stand unchanged in the lock, and is parsed on first use.
 * Throws POLICY_INVALID or POLICY_CHANGED with every problem.
 */
export function readPolicySet(texts: PolicyTexts, { released }: { released: boolean }): PolicySet {
  const lock = parseLock(texts.lock, lockFile)
  const { policies, problems } = readFiles(texts.files, lock, released)
  const versions = policies.toSorted(
    (a, b) => a.family.localeCompare(b.family, 'en') || compareSemver(a.version, b.version),
  )
  const found = [...problems, ...orderProblems(versions)]
  if (found.length > 0) throw invalid(found)
  if (!released) return { versions }
  const changed = lockProblems(lock, versions, lockFile)
  if (changed.length > 0)
    throw new ImagegateError('POLICY_CHANGED', 'Policies differ from the lock.', { problems: changed })
  return { versions }
}

/** Loads every policy of a folder as readPolicySet does. Throws what that throws, and FILE_UNREADABLE when the folder cannot be read. */
export async function loadPolicies(
  folder: string,
  options: { released: boolean } = { released: true },
): Promise<PolicySet> {
  return readPolicySet(await readPolicyTexts(folder), options)
}
