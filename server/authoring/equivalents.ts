import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EquivalentMutants } from '../documents/equivalent-mutants.ts'
import { ImagegateError, type Problem } from '../errors.ts'
import { pointerTokens } from '../facts/pointer.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import { type Position, readYaml } from '../policy/yaml-text.ts'
import { matches, problemsOf } from '../schemas.ts'
import { equivalentsFile } from './case-files.ts'
import type { Mutant } from './mutants.ts'

/** A mutant that is said to be equivalent, and where it is said. */
export interface Equivalent extends Position {
  /** Path of the file inside the policies' folder. */
  readonly file: string
  readonly rule: string
  readonly name: string
  readonly reason: string
}

/** What tells a mutant from every other of its policy. */
export function mutantKey({ rule, name }: Pick<Mutant, 'rule' | 'name'>): string {
  return `${rule} ${name}`
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && Reflect.get(cause, 'code') === 'ENOENT') return undefined
    throw new ImagegateError('FILE_UNREADABLE', `${path} cannot be read.`, { cause })
  }
}

function invalid(problems: readonly Problem[]): ImagegateError {
  return new ImagegateError('POLICY_TEST_INVALID', 'The list of equivalent mutants cannot be read.', { problems })
}

function checked(
  text: string,
  file: string,
  family: string,
): { value: EquivalentMutants; at: ReturnType<typeof readYaml>['at'] } {
  const { value, broken, at } = readYaml(text)
  if (broken.length > 0) throw invalid(broken.map((problem) => ({ file, ...problem })))
  if (!matches('equivalent-mutants', value)) {
    const problems = problemsOf('equivalent-mutants', value)
    throw invalid(problems.map((problem) => ({ ...problem, file, ...at(pointerTokens(problem.pointer ?? '')) })))
  }
  if (value.family === family) return { value, at }
  throw invalid([{ file, ...at(['family']), message: `The file stands with ${family}.` }])
}

/** The mutants of a policy that are listed as equivalent beside its cases. Throws POLICY_TEST_INVALID or FILE_UNREADABLE. */
export async function readEquivalents(folder: string, { family, version }: ReleasedPolicy): Promise<Equivalent[]> {
  const file = `${family}/tests/${equivalentsFile}`
  const text = await textOf(join(folder, file))
  if (text === undefined) return []
  const { value, at } = checked(text, file, family)
  return value.policies.flatMap((policy, index) =>
    policy.version !== version
      ? []
      : policy.equivalent.flatMap(({ rule, mutants, reason }, entry) =>
          mutants.map((name, position) => {
            const place = ['policies', index, 'equivalent', entry, 'mutants', position]
            return { file, ...at(place), rule, name, reason }
          }),
        ),
  )
}
