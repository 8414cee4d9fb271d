import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { ImagegateError } from '../errors.ts'
import type { Source } from '../policy/lint/head.ts'
import type { LintInput } from '../policy/lint/lint.ts'
import { lockFile } from '../policy/load.ts'
import { equivalentsFile } from './case-files.ts'

/** The list of the source's statements, in the policies' folder. */
const requirementsFile = 'requirements.yaml'

/** How far above a file or folder the policies' folder may be: family/tests/name.yaml. */
const levelsAbove = 3

/** Files that are linted together, and where. */
export interface LintGroup {
  /** The policies' folder; undefined for a file that stands alone. */
  readonly root: string | undefined
  readonly input: Omit<LintInput, 'isWanted'>
}

async function statOf(path: string) {
  try {
    return await stat(path)
  } catch (cause) {
    throw new ImagegateError('FILE_UNREADABLE', `${path} cannot be read.`, { cause })
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new ImagegateError('FILE_UNREADABLE', `${path} cannot be read.`, { cause })
  }
}

/** A path as problems name it: from the folder of work where it is below, else absolute. */
export function shownPath(path: string, cwd: string): string {
  const below = relative(cwd, path)
  return below === '' || below.startsWith('..') || isAbsolute(below) ? path : below.split(sep).join('/')
}

/** The policies' folder that a path belongs to: the nearest one with a lock, else the folder itself. */
export async function rootOf(path: string): Promise<string | undefined> {
  const folder = (await statOf(path)).isDirectory()
  let candidate = folder ? path : dirname(path)
  for (let level = 0; level < levelsAbove; level += 1) {
    if (existsSync(join(candidate, lockFile))) return candidate
    candidate = dirname(candidate)
  }
  return folder ? path : undefined
}

async function sourceAt(root: string, path: string, cwd: string): Promise<Source> {
  const absolute = join(root, path)
  return { file: shownPath(absolute, cwd), path: path.split(sep).join('/'), text: await textOf(absolute) }
}

async function ifThere(root: string, path: string, cwd: string): Promise<Source | undefined> {
  return existsSync(join(root, path)) ? sourceAt(root, path, cwd) : undefined
}

/** The whole of a policies' folder. Throws FILE_UNREADABLE. */
export async function readLintFolder(root: string, cwd: string): Promise<LintGroup> {
  const names = await readdir(root, { recursive: true }).catch((cause: unknown) => {
    throw new ImagegateError('FILE_UNREADABLE', `${root} cannot be read.`, { cause })
  })
  const yaml = names
    .map((name) => name.split(sep).join('/'))
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
  const read = (paths: readonly string[]) => Promise.all(paths.map((path) => sourceAt(root, path, cwd)))
  const input: LintGroup['input'] = {
    policies: await read(yaml.filter((name) => /^[^/]+\/[^/]+$/.test(name))),
    tests: await read(yaml.filter((name) => /^[^/]+\/tests\/.+$/.test(name) && !name.endsWith(`/${equivalentsFile}`))),
    lock: await ifThere(root, lockFile, cwd),
    requirements: await ifThere(root, requirementsFile, cwd),
    exists: (path) => existsSync(resolve(dirname(root), path)),
  }
  return { root, input }
}

/** A policy file that belongs to no folder. Throws FILE_UNREADABLE. */
export async function readLintFile(path: string, cwd: string): Promise<LintGroup> {
  const source = { file: shownPath(path, cwd), path: '', text: await textOf(path) }
  return {
    root: undefined,
    input: { policies: [source], tests: [], lock: undefined, requirements: undefined, exists: () => false },
  }
}
