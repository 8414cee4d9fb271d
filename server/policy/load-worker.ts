import { parentPort } from 'node:worker_threads'
import type { Policy } from '../documents/policy.ts'
import { type ErrorCode, ImagegateError, type Problem } from '../errors.ts'
import { loadSource, type PolicySource } from './load-source.ts'
import type { BundleName, ReleasedPolicy } from './set.ts'

/** What the thread is asked for, one at a time. */
export interface LoadRequest {
  readonly source: PolicySource
  /** Digest and date of each version that is being served, which is neither parsed nor sent again. */
  readonly known: readonly Pick<ReleasedPolicy, 'digest' | 'effectiveFrom'>[]
}

/** A version without what the other side has. */
export interface LoadedVersion extends Omit<ReleasedPolicy, 'policy' | 'text'> {
  readonly fresh?: { readonly text: string; readonly policy: Policy }
}

/** What the thread answers: each version, then the end; or an error and nothing more. */
export type LoadAnswer =
  | { readonly kind: 'version'; readonly version: LoadedVersion }
  | { readonly kind: 'end'; readonly bundle?: BundleName; readonly candidate?: LoadedVersion }
  | {
      readonly kind: 'failed'
      readonly code: ErrorCode
      readonly detail: string
      readonly problems: readonly Problem[]
      readonly total: number
    }

/** Parses what nobody has checked in this process yet; all problems are told together. */
function loadedVersions(versions: readonly ReleasedPolicy[], known: LoadRequest['known']): LoadedVersion[] {
  const problems: Problem[] = []
  const loaded = versions.flatMap((version): LoadedVersion[] => {
    const { family, digest, effectiveFrom, text, withdrawn } = version
    const head = { family, version: version.version, digest, effectiveFrom, ...(withdrawn && { withdrawn }) }
    if (known.some((one) => one.digest === digest && one.effectiveFrom === effectiveFrom)) return [head]
    try {
      return [{ ...head, fresh: { text, policy: version.policy } }]
    } catch (error) {
      if (!(error instanceof ImagegateError)) throw error
      problems.push(...error.problems)
      return []
    }
  })
  if (problems.length === 0) return loaded
  throw new ImagegateError('POLICY_INVALID', 'The policies cannot be loaded.', { problems })
}

function answer(message: LoadAnswer): void {
  parentPort?.postMessage(message)
}

parentPort?.on('message', async ({ source, known }: LoadRequest) => {
  try {
    const { set, bundle, candidate } = await loadSource(source)
    // One message a version: the other side unpacks each in a turn of its own.
    for (const version of loadedVersions(set.versions, known)) answer({ kind: 'version', version })
    const [tried] = candidate === undefined ? [] : loadedVersions([candidate], known)
    answer({ kind: 'end', ...(bundle && { bundle }), ...(tried && { candidate: tried }) })
  } catch (error) {
    if (!(error instanceof ImagegateError)) throw error
    const { code, message: detail, problems, total } = error
    answer({ kind: 'failed', code, detail, problems, total })
  }
})
