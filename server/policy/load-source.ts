import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Config } from '../config.ts'
import { ImagegateError } from '../errors.ts'
import { bundleLimits, readBundle } from './bundle.ts'
import { publicKey } from './bundle-key.ts'
import { loadPolicies, lockFile, readPolicySet, readPolicyText } from './load.ts'
import type { LoadedPolicies, ReleasedPolicy } from './set.ts'

/** Where a service's policies come from: a folder, or with a public key a bundle that it signed. */
export interface PolicySource {
  readonly path: string
  /** Path of the key in PEM. */
  readonly publicKey?: string
  /** Path of a policy file that is tried in shadow. */
  readonly candidate?: string
}

/** The configured source of what judges. */
export function policySource({
  policies,
  policyPublicKey,
}: Pick<Config, 'policies' | 'policyPublicKey'>): PolicySource {
  return policyPublicKey === undefined ? { path: policies } : { path: policies, publicKey: policyPublicKey }
}

function unreadable(path: string, cause: unknown): ImagegateError {
  return new ImagegateError('FILE_UNREADABLE', `${path} cannot be read.`, { cause })
}

/** Bytes of a file of bounded size. Throws FILE_UNREADABLE or BUNDLE_INVALID. */
async function readBounded(path: string): Promise<Buffer> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
  if (found.isDirectory()) {
    throw new ImagegateError('BUNDLE_INVALID', `${path} is a folder; with a public key, only a signed bundle is read.`)
  }
  if (found.size > bundleLimits.whole) {
    throw new ImagegateError(
      'BUNDLE_INVALID',
      `${path} has ${found.size} bytes; at most ${bundleLimits.whole} are read.`,
    )
  }
  return readFile(path).catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
}

/**
 * Reads a bundle's file with a key's file, and checks both. Throws FILE_UNREADABLE, KEY_INVALID, BUNDLE_INVALID,
 * BUNDLE_SIGNATURE_INVALID or BUNDLE_CHANGED.
 */
export async function loadBundle(path: string, keyPath: string) {
  const pem = await readFile(keyPath, 'utf8').catch((cause: unknown) => {
    throw unreadable(keyPath, cause)
  })
  return readBundle(await readBounded(path), publicKey(pem, keyPath))
}

async function loadReleased({ path, publicKey: keyPath }: PolicySource): Promise<LoadedPolicies> {
  if (keyPath === undefined) {
    const isFile = await stat(path)
      .then((found) => found.isFile())
      .catch(() => false)
    if (!isFile) return { set: await loadPolicies(path) }
    const how = 'set IMAGEGATE_POLICY_PUBLIC_KEY to read it as a signed bundle'
    throw new ImagegateError('CONFIG_INVALID', `${path} is a file and no folder of policies; ${how}.`)
  }
  const { files, sequence, digest, signedBy } = await loadBundle(path, keyPath)
  const policies = new Map([...files].filter(([file]) => file.includes('/')))
  const set = readPolicySet({ lock: files.get(lockFile) ?? '', files: policies }, { released: true })
  return { set, bundle: { sequence, digest, signedBy } }
}

/** The candidate's own text decides its family and version; no lock is asked, for it answers nobody. */
async function loadCandidate(path: string): Promise<ReleasedPolicy> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
  const { policy, problems } = readPolicyText(text, basename(path))
  if (policy !== undefined) return policy
  throw new ImagegateError('POLICY_INVALID', 'The candidate is not a valid policy.', { problems })
}

/** Loads everything, all or nothing. Throws what loadPolicies and loadBundle throw, and the same for the candidate. */
export async function loadSource(source: PolicySource): Promise<LoadedPolicies> {
  const released = await loadReleased(source)
  if (source.candidate === undefined) return released
  return { ...released, candidate: await loadCandidate(source.candidate) }
}
