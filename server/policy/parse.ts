import type { Policy } from '../documents/policy.ts'
import type { Problem } from '../errors.ts'
import { pointerTokens } from '../facts/pointer.ts'
import { matches, problemsOf } from '../schemas.ts'
import { profileProblems } from './profile.ts'
import { referenceProblem } from './reference.ts'
import { readYaml } from './yaml-text.ts'

/** A policy, or every problem that keeps its text from being one. */
export type ParsedPolicy =
  | { readonly policy: Policy; readonly problems: readonly [] }
  | { readonly policy?: undefined; readonly problems: readonly Problem[] }

/**
 * Reads a policy file's text: YAML 1.2, unique names, schema, profile, json-rules-engine.
 * All problems are collected, with line and column counted from 1.
 */
export function parsePolicy(text: string, file: string): ParsedPolicy {
  const { value, broken, at } = readYaml(text)
  if (broken.length > 0) return { problems: broken.map((problem) => ({ file, ...problem })) }
  if (!matches('policy', value)) {
    const problems = problemsOf('policy', value)
    return {
      problems: problems.map((problem) => ({ ...problem, file, ...at(pointerTokens(problem.pointer ?? '')) })),
    }
  }
  const problems = profileProblems(value).map(({ path, message }): Problem => {
    return { pointer: path.map((token) => `/${token}`).join(''), file, ...at(path), message }
  })
  for (const [index, rule] of value.rules.entries()) {
    const message = referenceProblem(rule)
    if (message === undefined) continue
    problems.push({ pointer: `/rules/${index}`, file, ...at(['rules', index]), message })
  }
  return problems.length > 0 ? { problems } : { policy: value, problems: [] }
}
