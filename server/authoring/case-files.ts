import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PolicyTest } from '../documents/policy-test.ts'
import { ImagegateError, type Problem } from '../errors.ts'
import { pointerTokens } from '../facts/pointer.ts'
import type { PolicySet } from '../policy/set.ts'
import { findVersion } from '../policy/set.ts'
import { type Place, type Position, readYaml } from '../policy/yaml-text.ts'
import { matches, problemsOf } from '../schemas.ts'

/** A file of policy cases. */
export interface CaseFile {
  /** Its path inside the policies' folder: family/tests/name.yaml. */
  readonly file: string
  readonly test: PolicyTest
  at(place: Place): Position
}

interface Read {
  readonly found?: CaseFile
  readonly problems: readonly Problem[]
}

function unknownRules(test: PolicyTest, policies: PolicySet): { place: Place; message: string }[] {
  const policy = findVersion(policies, test.family, test.version)
  if (policy === undefined) {
    return [{ place: ['version'], message: `There is no policy ${test.family}/${test.version} in the folder.` }]
  }
  const known = new Set(policy.policy.rules.map(({ id }) => id))
  return test.cases.flatMap(({ changes, messages = {} }, index) =>
    (['changes', 'messages'] as const).flatMap((part) =>
      Object.keys(part === 'changes' ? changes : messages)
        .filter((rule) => !known.has(rule))
        .map((rule) => ({ place: ['cases', index, part, rule], message: `The policy has no rule ${rule}.` })),
    ),
  )
}

/** One file of cases from its text; every problem with line and column. */
function readCaseText(text: string, file: string, policies: PolicySet): Read {
  const { value, broken, at } = readYaml(text)
  if (broken.length > 0) return { problems: broken.map((problem) => ({ file, ...problem })) }
  if (!matches('policy-test', value)) {
    const problems = problemsOf('policy-test', value)
    return {
      problems: problems.map((problem) => ({ ...problem, file, ...at(pointerTokens(problem.pointer ?? '')) })),
    }
  }
  const [family] = file.split('/')
  const moved = value.family === family ? [] : [{ place: ['family'], message: `The file stands with ${family}.` }]
  const problems = [...moved, ...unknownRules(value, policies)]
  if (problems.length === 0) return { found: { file, test: value, at }, problems: [] }
  return { problems: problems.map(({ place, message }) => ({ file, ...at(place), message })) }
}

/** Beside the cases of a family: mutants of its policies that no case can tell from them. */
export const equivalentsFile = 'equivalent-mutants.yaml'

/** Names of a family's files of cases, in order; none when it has no folder of them. */
async function caseNames(folder: string, family: string): Promise<string[]> {
  try {
    const names = await readdir(join(folder, family, 'tests'))
    return names.filter((name) => /\.ya?ml$/.test(name) && name !== equivalentsFile).sort()
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return []
    throw new ImagegateError('FILE_UNREADABLE', `${join(folder, family, 'tests')} cannot be read.`, { cause: error })
  }
}

/**
 * Every file of cases beside the given policies, families in order. Throws POLICY_TEST_INVALID with every problem of every file, or FILE_UNREADABLE.
 */
export async function readCaseFiles(folder: string, policies: PolicySet): Promise<CaseFile[]> {
  const files: CaseFile[] = []
  const problems: Problem[] = []
  for (const family of new Set(policies.versions.map((policy) => policy.family))) {
    for (const name of await caseNames(folder, family)) {
      const file = `${family}/tests/${name}`
      const read = readCaseText(await readFile(join(folder, file), 'utf8'), file, policies)
      problems.push(...read.problems)
      if (read.found !== undefined) files.push(read.found)
    }
  }
  if (problems.length === 0) return files
  throw new ImagegateError('POLICY_TEST_INVALID', 'The cases cannot be read.', { problems })
}
