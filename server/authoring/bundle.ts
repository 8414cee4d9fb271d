import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PolicyLock } from '../documents/policy-lock.ts'
import { ImagegateError } from '../errors.ts'
import { makeBundle, readBundle } from '../policy/bundle.ts'
import { lockFile, readPolicySet, readPolicyTexts } from '../policy/load.ts'
import { loadSource } from '../policy/load-source.ts'
import { parseLock } from '../policy/lock.ts'
import { compilePolicy } from '../policy/program.ts'
import type { BundleName, PolicySet } from '../policy/set.ts'

const requirementsFile = 'requirements.yaml'

/** A sequence that grows with every release and withdrawal, and needs no clock: how many of them the lock holds. */
function lockSequence({ policies }: PolicyLock): number {
  return policies.length + policies.filter(({ withdrawn }) => withdrawn !== undefined).length
}

async function requirements(folder: string): Promise<readonly (readonly [string, string])[]> {
  try {
    return [[requirementsFile, await readFile(join(folder, requirementsFile), 'utf8')]]
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return []
    throw new ImagegateError('FILE_UNREADABLE', `${requirementsFile} cannot be read.`, { cause })
  }
}

/** What was released is parsed when it is first used, and may show only then that it is no policy. */
function useAll({ versions }: PolicySet): void {
  for (const { policy } of versions) compilePolicy(policy)
}

/**
 * A signed bundle of a folder's released policies, each parsed and compiled before, and the bundle read again.
 * Throws POLICY_INVALID, POLICY_CHANGED, FILE_UNREADABLE or BUNDLE_INVALID.
 */
export async function bundleFolder(
  folder: string,
  key: KeyObject,
  sequence?: number,
): Promise<{ bytes: Buffer; bundle: BundleName }> {
  const texts = await readPolicyTexts(folder)
  useAll(readPolicySet(texts, { released: true }))
  const files = new Map([...texts.files, [lockFile, texts.lock], ...(await requirements(folder))])
  const bytes = makeBundle(files, sequence ?? lockSequence(parseLock(texts.lock, lockFile)), key)
  return { bytes, bundle: readBundle(bytes, createPublicKey(key)) }
}

/** Reads a bundle as a service would, and parses and compiles every policy in it. Throws what loadSource throws. */
export async function verifyBundle(path: string, publicKey: string): Promise<BundleName> {
  const { set, bundle } = await loadSource({ path, publicKey })
  if (bundle === undefined) throw new ImagegateError('INTERNAL', 'With a key there is a bundle.')
  useAll(set)
  return bundle
}
