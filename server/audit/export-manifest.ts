import { type KeyObject, sign, verify } from 'node:crypto'
import { canonicalize } from '../digest.ts'
import type { ExportManifest } from '../documents/export.ts'
import { keyName } from '../policy/bundle-key.ts'
import { matches, problemsOf } from '../schemas.ts'

/** What is signed begins with its kind in `schema`, so that no signature made for another purpose is one of an export. */
function signedBytes({ signature: _, ...manifest }: ExportManifest): Buffer {
  return Buffer.from(canonicalize(manifest))
}

/** A manifest with the name of the key and its signature. */
export function signManifest(manifest: ExportManifest, key: KeyObject): ExportManifest {
  const named = { ...manifest, key: keyName(key) }
  return { ...named, signature: sign(null, signedBytes(named), key).toString('base64') }
}

/** A manifest, and whether it is signed with a trusted key; or what is wrong with it, in one sentence. */
export type ManifestState = { readonly manifest: ExportManifest; readonly signed: boolean } | { readonly fault: string }

/** Reads a manifest from its text. One that is not signed at all is no fault. */
export function readManifest(text: string, keys: readonly KeyObject[]): ManifestState {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { fault: 'It is not JSON.' }
  }
  if (!matches('export', value)) {
    const [first] = problemsOf('export', value)
    return { fault: `It is no manifest of an export: ${first?.pointer ?? ''} ${first?.message ?? ''}` }
  }
  const { key: name, signature } = value
  if (name === undefined || signature === undefined) return { manifest: value, signed: false }
  const key = keys.find((one) => keyName(one) === name)
  if (key === undefined) return { fault: `It is signed with the key ${name}, which was not given.` }
  const given = Buffer.from(signature, 'base64')
  const sound = given.toString('base64') === signature && verify(null, signedBytes(value), key, given)
  return sound ? { manifest: value, signed: true } : { fault: 'Its signature is not valid.' }
}
