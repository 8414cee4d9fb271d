import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ImagegateError } from '../errors.ts'
import { readPolicy, readPolicyText } from '../policy/load.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import { git, reasonOf } from './git.ts'
import type { Terminal } from './terminal.ts'

/** Lines of help for commands that take a revision. */
export const revisionNotes = [
  'A revision is FAMILY/VERSION in the folder of the policies, the path of a policy file, or',
  'REV:policies/FAMILY/VERSION.yaml as git names a file of a commit, branch or tag.',
] as const

const versionName = /^[a-z][a-z-]*\/\d+\.\d+\.\d+$/

function unreadable(name: string, cause: unknown): ImagegateError {
  return new ImagegateError('FILE_UNREADABLE', `${name} cannot be read (${reasonOf(cause)}).`, { cause })
}

/** A blob by its name in git, byte for byte; no filter that the repository configures is run. */
async function gitText(name: string, folder: string): Promise<string> {
  if (name.startsWith('-')) throw unreadable(name, 'a git revision does not begin with a dash')
  try {
    return await git(['cat-file', 'blob', name], folder)
  } catch (cause) {
    throw unreadable(name, cause)
  }
}

async function fileText(path: string, name: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw unreadable(name, cause)
  }
}

function checked(read: ReturnType<typeof readPolicyText>, name: string): ReleasedPolicy {
  if (read.policy !== undefined) return read.policy
  throw new ImagegateError('POLICY_INVALID', `${name} is not a valid policy.`, { problems: read.problems })
}

/** How a revision is found. */
export interface RevisionOptions {
  /** Folder of the policies; the configured one by default. */
  readonly policies?: string
  /** Where git is run and paths start; the working directory by default. */
  readonly directory?: string
}

/**
 * Reads one version of a policy, named FAMILY/VERSION, by the path of a file, or REV:PATH as git has it. No lock is asked.
 * Throws POLICY_INVALID with every problem, FILE_UNREADABLE, or CONFIG_INVALID.
 */
export async function readRevision(
  name: string,
  options: RevisionOptions,
  terminal: Terminal,
): Promise<ReleasedPolicy> {
  const directory = resolve(options.directory ?? '.')
  if (versionName.test(name)) {
    const folder = options.policies === undefined ? terminal.config().policies : resolve(directory, options.policies)
    const file = `${name}.yaml`
    return checked(readPolicy(await fileText(join(folder, file), file), file), name)
  }
  const colon = name.indexOf(':')
  const inGit = colon > 0 && !/^\.{0,2}\//.test(name)
  const text = inGit ? await gitText(name, directory) : await fileText(resolve(directory, name), name)
  return checked(readPolicyText(text, name), name)
}
