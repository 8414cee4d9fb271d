import { readFile, stat } from 'node:fs/promises'
import type { Config } from '../config.ts'
import { ImagegateError } from '../errors.ts'
import { bundleLimits, readBundle } from './bundle.ts'
import { publicKey } from './bundle-key.ts'
import { loadPolicies, lockFile, readPolicySet } from './load.ts'
import type { LoadedPolicies } from './set.ts'

/** Where a service's policies come from: a folder, or with a public key a bundle that it signed. */
export interface PolicySource {
  readonly path: string
  /** Path of the key in PEM. */
  readonly publicKey?: string
}

/** The configured source. */
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

/** Loads released policies, all or nothing. Throws what loadPolicies and loadBundle throw. */
export async function loadSource({ path, publicKey: keyPath }: PolicySource): Promise<LoadedPolicies> {
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
