import { join, resolve } from 'node:path'
import type { LintProblem } from '../policy/lint/head.ts'
import { lintFiles } from '../policy/lint/lint.ts'
import { missingLockHead } from '../policy/lint/lock-file.ts'
import { lockFile } from '../policy/load.ts'
import { type LintGroup, readLintFile, readLintFolder, rootOf, shownPath } from './lint-files.ts'

/** What lint found in the files that were asked for. */
export interface Linted {
  readonly problems: readonly LintProblem[]
  /** The files that were looked at, as problems name them. */
  readonly files: readonly string[]
}

function filesOf({ input: { policies, tests, lock, requirements } }: LintGroup): string[] {
  const single = [lock, requirements].flatMap((source) => (source === undefined ? [] : [source]))
  return [...policies, ...tests, ...single].map(({ file }) => file)
}

function lintGroup(
  { root, input }: LintGroup,
  cwd: string,
  isWanted: (file: string) => boolean,
): readonly LintProblem[] {
  const problems = lintFiles({ ...input, isWanted })
  if (root === undefined || input.lock !== undefined) return problems
  const { code, severity, says, mend } = missingLockHead
  const file = shownPath(join(root, lockFile), cwd)
  if (!isWanted(file)) return problems
  return [{ file, line: 1, column: 1, code, severity, message: says, mend }, ...problems]
}

/**
 * Lints files and folders. What is asked for is read with all that belongs to it, the policies' folder with its lock, and only its own
 * problems are told. Throws FILE_UNREADABLE.
 */
export async function lintPaths(paths: readonly string[], cwd: string): Promise<Linted> {
  const wanted = paths.map((path) => resolve(cwd, path))
  const roots = await Promise.all(wanted.map(rootOf))
  const folders = [...new Set(roots.filter((root) => root !== undefined))]
  const alone = wanted.filter((_, index) => roots[index] === undefined)
  const groups = [
    ...(await Promise.all(folders.map((root) => readLintFolder(root, cwd)))),
    ...(await Promise.all(alone.map((path) => readLintFile(path, cwd)))),
  ]
  const isWanted = (file: string) => {
    const path = resolve(cwd, file)
    return wanted.some((one) => path === one || path.startsWith(join(one, '/')))
  }
  return {
    problems: groups.flatMap((group) => lintGroup(group, cwd, isWanted)),
    files: groups.flatMap(filesOf).filter(isWanted),
  }
}
