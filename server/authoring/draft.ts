import { ImagegateError } from '../errors.ts'
import { raised } from '../policy/diff/bump.ts'
import { withScalars } from '../policy/draft.ts'
import { readPolicy } from '../policy/load.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import type { CaseFile } from './case-files.ts'

/** What is to become a version. */
export interface DraftRequest {
  /** The newest version. */
  readonly last: ReleasedPolicy
  readonly bump: 'major' | 'minor' | 'patch'
  /** RFC 3339, UTC. By default the day after both the last version's and now. */
  readonly effectiveFrom: string | undefined
  readonly now: Date
}

/** A file to be written, by its path inside the policies' folder. */
export interface DraftFile {
  readonly file: string
  readonly text: string
}

const day = 86_400_000

function dayAfter(instant: number): string {
  return `${new Date((Math.floor(instant / day) + 1) * day).toISOString().slice(0, 19)}Z`
}

function begin({ last, effectiveFrom, now }: DraftRequest): string {
  const before = Date.parse(last.effectiveFrom)
  if (effectiveFrom === undefined) return dayAfter(Math.max(before, now.getTime()))
  if (Date.parse(effectiveFrom) > before) return effectiveFrom
  throw new ImagegateError(
    'OPTION_INVALID',
    `${last.family} ${last.version} is in force from ${last.effectiveFrom}: a later version begins later than that.`,
  )
}

/** The policy's file for the next version: the last one's text, comments and all, with another version and date. */
export function draftPolicy(request: DraftRequest): { version: string; effectiveFrom: string; file: DraftFile } {
  const { last, bump } = request
  const version = raised(last.version, bump)
  const effectiveFrom = begin(request)
  const text = withScalars(last.text, { version, effectiveFrom })
  const file = `${last.family}/${version}.yaml`
  const { problems } = readPolicy(text, file)
  if (problems.length > 0)
    throw new ImagegateError('POLICY_INVALID', 'The new version would not be valid.', { problems })
  return { version, effectiveFrom, file: { file, text } }
}

/** The last version's cases for the next: each file once more with its version, so that both stay tested. */
export function draftCases(
  files: readonly (Pick<CaseFile, 'file' | 'test'> & { readonly text: string })[],
  last: ReleasedPolicy,
  version: string,
): DraftFile[] {
  return files
    .filter(({ test }) => test.family === last.family && test.version === last.version)
    .map(({ file, text }) => {
      const name = file
        .slice(file.lastIndexOf('/') + 1)
        .replace(/\.ya?ml$/, '')
        .replace(/\.\d+\.\d+\.\d+$/, '')
      return { file: `${last.family}/tests/${name}.${version}.yaml`, text: withScalars(text, { version }) }
    })
}
