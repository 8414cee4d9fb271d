import { type KeyObject, sign, verify } from 'node:crypto'
import { canonicalize, sha256 } from '../digest.ts'
import type { PolicyBundle } from '../documents/policy-bundle.ts'
import { ImagegateError, type Problem } from '../errors.ts'
import { matches, problemsOf } from '../schemas.ts'
import { keyName } from './bundle-key.ts'
import { type ArchiveFile, packFiles, unpackFiles } from './bundle-tar.ts'
import type { BundleName } from './set.ts'
import { quoteText } from './text.ts'

/** A bundle whose signature and every digest were checked. */
export interface Bundle extends BundleName {
  readonly manifest: PolicyBundle
  /** Texts by path inside the folder of the policies. */
  readonly files: ReadonlyMap<string, string>
}

const manifestPath = 'manifest.json'
const signaturePath = 'manifest.sig'
const lockPath = 'policies.lock.json'
const allowed = /^(policies\.lock\.json|requirements\.yaml|[a-z][a-z-]*\/\d{1,6}\.\d{1,6}\.\d{1,6}\.yaml)$/

/** Greatest size of a whole bundle, of its manifest, and of one file, in bytes. */
export const bundleLimits = { whole: 64 << 20, manifest: 1 << 20, file: 4 << 20 } as const

/** Greatest number of files besides manifest and signature. */
const maxFiles = 4098

/** Signed together with the manifest, so that a signature made for another purpose is none of a bundle. */
const purpose = 'imagegate.policy-bundle/1\n'

function signedBytes(manifest: Buffer): Buffer {
  return Buffer.concat([Buffer.from(purpose), manifest])
}

function invalid(detail: string, problems: readonly Problem[] = []): ImagegateError {
  return new ImagegateError('BUNDLE_INVALID', detail, { problems })
}

/**
 * A signed bundle of texts by path, the same bytes from the same texts, sequence and key on every machine.
 * Throws BUNDLE_INVALID when a path or a size has no place in a bundle.
 */
export function makeBundle(texts: ReadonlyMap<string, string>, sequence: number, key: KeyObject): Buffer {
  const files = [...texts]
    .map(([path, text]): ArchiveFile => ({ path, bytes: Buffer.from(text) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
  const listed = files.map(({ path, bytes }) => ({ path, bytes: bytes.length, digest: sha256(bytes) }))
  const manifest: PolicyBundle = { schema: 'imagegate.policy-bundle/1', sequence, files: listed }
  const problems = problemsOf('policy-bundle', manifest)
  if (problems.length > 0) throw invalid('These policies cannot be bundled.', problems)
  const bytes = Buffer.from(canonicalize(manifest))
  const signature = sign(null, signedBytes(bytes), key).toString('base64')
  const head = [
    { path: manifestPath, bytes },
    { path: signaturePath, bytes: Buffer.from(`${signature}\n`) },
  ]
  return packFiles([...head, ...files])
}

/** Refuses by name and size what is not a file of a bundle: each stands once, the first two in their places. */
function admitting(): (path: string, size: number) => void {
  const seen = new Set<string>()
  return (path, size) => {
    const expected = [manifestPath, signaturePath][seen.size]
    if (expected !== undefined && path !== expected) throw invalid(`${expected} is not in its place.`)
    if (expected === undefined && !allowed.test(path)) throw invalid(`${quoteText(path)} has no place in a bundle.`)
    if (seen.has(path)) throw invalid(`${path} stands there twice.`)
    const most = expected === undefined ? bundleLimits.file : bundleLimits.manifest
    if (size > most) throw invalid(`${path} has ${size} bytes; at most ${most} are read.`)
    seen.add(path)
    if (seen.size > maxFiles + 2) throw invalid(`There are more than ${maxFiles} files.`)
  }
}

function readManifest(bytes: Buffer): PolicyBundle {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new ImagegateError('BUNDLE_INVALID', `${manifestPath} is not JSON.`, { cause })
  }
  if (matches('policy-bundle', value)) return value
  const problems = problemsOf('policy-bundle', value).map((problem) => ({ ...problem, file: manifestPath }))
  throw invalid(`${manifestPath} is not a valid manifest.`, problems)
}

/** Manifest and archive must name the same files, and each must be the one that was signed. */
function checkFiles({ files: listed }: PolicyBundle, files: readonly ArchiveFile[]): void {
  const found = new Map(files.map((file) => [file.path, file]))
  const names = new Set(listed.map(({ path }) => path))
  const gone = [...names, lockPath].filter((path) => !found.has(path))
  const extra = files.filter(({ path }) => !names.has(path))
  const strange = [
    ...[...new Set(gone)].map((file) => ({ file, message: 'It is missing in the bundle.' })),
    ...extra.map(({ path: file }) => ({ file, message: 'The manifest does not name it.' })),
  ]
  if (strange.length > 0) throw invalid('Manifest and files differ.', strange)
  const problems = listed.flatMap(({ path: file, bytes: size, digest }): Problem[] => {
    const bytes = found.get(file)?.bytes
    if (bytes === undefined || (bytes.length === size && sha256(bytes) === digest)) return []
    return [
      { file, message: `It was signed as ${digest}, ${size} bytes; it is ${sha256(bytes)}, ${bytes.length} bytes.` },
    ]
  })
  if (problems.length > 0) throw new ImagegateError('BUNDLE_CHANGED', 'Files differ from the manifest.', { problems })
}

/**
 * Reads a bundle and checks all of it: form, signature, and the digest of every file.
 * Throws BUNDLE_INVALID, BUNDLE_SIGNATURE_INVALID or BUNDLE_CHANGED.
 */
export function readBundle(bytes: Buffer, key: KeyObject): Bundle {
  if (bytes.length > bundleLimits.whole) throw invalid(`It has more than ${bundleLimits.whole} bytes.`)
  const [manifest, signature, ...files] = unpackFiles(bytes, admitting())
  if (manifest === undefined || signature === undefined) throw invalid(`There is no ${manifestPath} with a signature.`)
  const given = Buffer.from(signature.bytes.toString('latin1'), 'base64')
  // One spelling of a signature, or one bundle would have many forms.
  const spelt = signature.bytes.toString('latin1') === `${given.toString('base64')}\n`
  if (!spelt || !verify(null, signedBytes(manifest.bytes), key, given)) {
    throw new ImagegateError(
      'BUNDLE_SIGNATURE_INVALID',
      `The signature is not one of ${keyName(key)} over this manifest.`,
    )
  }
  const parsed = readManifest(manifest.bytes)
  checkFiles(parsed, files)
  return {
    manifest: parsed,
    sequence: parsed.sequence,
    digest: sha256(manifest.bytes),
    signedBy: keyName(key),
    files: new Map(files.map(({ path, bytes: text }) => [path, text.toString('utf8')])),
  }
}
