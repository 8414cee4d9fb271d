import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { PolicyLock } from '../documents/policy-lock.ts'
import { ImagegateError } from '../errors.ts'
import { loadPolicies, lockFile } from '../policy/load.ts'
import { parseLock } from '../policy/lock.ts'
import type { PolicySet } from '../policy/set.ts'
import type { Terminal } from './terminal.ts'

/** A folder of policies as it stands, released or not. */
export interface PolicyFolder {
  readonly policies: PolicySet
  readonly lock: PolicyLock
  /** Path of the lock. */
  readonly lockPath: string
}

/**
 * Reads the given folder, else the configured one; drafts are welcome here.
 * Throws POLICY_INVALID with every problem, FILE_UNREADABLE, or CONFIG_INVALID.
 */
export async function readPolicyFolder(given: string | undefined, terminal: Terminal): Promise<PolicyFolder> {
  const folder = given === undefined ? terminal.config().policies : resolve(given)
  const policies = await loadPolicies(folder, { released: false })
  const lockPath = join(folder, lockFile)
  const text = await readFile(lockPath, 'utf8').catch((cause: unknown) => {
    throw new ImagegateError('FILE_UNREADABLE', `${lockPath} cannot be read.`, { cause })
  })
  return { policies, lock: parseLock(text, lockFile), lockPath }
}
