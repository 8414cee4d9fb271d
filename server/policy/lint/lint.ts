import type { PolicyTest } from '../../documents/policy-test.ts'
import { errorsOf, matches } from '../../schemas.ts'
import { readYaml } from '../yaml-text.ts'
import type { Folder } from './folder.ts'
import { folderRules } from './folder-rules.ts'
import { type LintProblem, placed, type ReadSource, type Source } from './head.ts'
import { readLock } from './lock-file.ts'
import { policyRules } from './policy-rules.ts'
import { readRequirements } from './requirements.ts'
import { schemaFinding, schemaHeads } from './schema-heads.ts'
import { lintPolicy } from './subject.ts'

/** What is linted together. A draft that stands alone has no lock and no requirements. */
export interface LintInput extends Pick<Folder, 'exists'> {
  readonly policies: readonly Source[]
  readonly tests: readonly Source[]
  readonly lock: Source | undefined
  readonly requirements: Source | undefined
  /** Whether problems of this file are asked for; the others are only read for what they say about it. */
  isWanted(file: string): boolean
}

function read(source: Source): ReadSource {
  return { ...source, yaml: readYaml(source.text) }
}

function syntaxProblems({ file, yaml }: ReadSource): LintProblem[] {
  const { code, severity, mend } = schemaHeads.syntax
  return yaml.broken.map((broken) => ({ file, ...broken, code, severity, mend }))
}

function readTest(source: ReadSource): { test?: PolicyTest; problems: LintProblem[] } {
  const { value } = source.yaml
  if (source.yaml.broken.length > 0) return { problems: syntaxProblems(source) }
  if (matches('policy-test', value)) return { test: value, problems: [] }
  const problems = errorsOf('policy-test', value).map((error) => {
    const { head, found } = schemaFinding('policy-test', value, error)
    return placed(head, source, found)
  })
  return { problems }
}

function inOrder(problems: readonly LintProblem[]): LintProblem[] {
  // What stands in an anchor is found once for each of its aliases.
  const different = new Map(problems.map((problem) => [JSON.stringify(problem), problem]))
  return [...different.values()].sort(
    (a, b) =>
      a.file.localeCompare(b.file, 'en') ||
      a.line - b.line ||
      a.column - b.column ||
      a.code.localeCompare(b.code, 'en'),
  )
}

/** Every problem of the files that are asked for, each by itself and all together, by file and place. */
export function lintFiles(input: LintInput): readonly LintProblem[] {
  const stated = input.requirements === undefined ? undefined : read(input.requirements)
  const broken = stated === undefined ? [] : syntaxProblems(stated)
  const listed = stated === undefined || broken.length > 0 ? { problems: broken } : readRequirements(stated)
  const requirements = 'requirements' in listed ? listed.requirements : undefined
  const policies = input.policies.map((given) => {
    const source = read(given)
    const found =
      source.yaml.broken.length > 0
        ? { problems: syntaxProblems(source) }
        : lintPolicy(source, input.isWanted(source.file) ? policyRules : [], requirements)
    return { source, policy: 'policy' in found ? found.policy : undefined, problems: found.problems }
  })
  const tests = input.tests.map((given) => {
    const source = read(given)
    return { source, ...readTest(source) }
  })
  const lockSource = input.lock === undefined ? undefined : read(input.lock)
  const lock = lockSource === undefined ? undefined : { source: lockSource, ...readLock(lockSource) }
  const folder: Folder = {
    policies,
    tests: tests.flatMap(({ source, test }) => (test === undefined ? [] : [{ source, test }])),
    lock: lock?.lock === undefined ? undefined : { source: lock.source, lock: lock.lock },
    exists: input.exists,
  }
  const together = folderRules.flatMap(({ head, check }) =>
    check(folder).map((found) => placed(head, found.source, found)),
  )
  const alone = [listed, ...policies, ...tests, ...(lock === undefined ? [] : [lock])].flatMap(
    ({ problems }) => problems,
  )
  return inOrder([...alone, ...together].filter(({ file }) => input.isWanted(file)))
}
