import type { Alternative, Finding, Options, Policy as PolicyUsed, Verdict } from '../documents/verdict.ts'
import { ImagegateError } from '../errors.ts'
import type { ParsedFacts } from '../facts/parse.ts'
import { compilePolicy } from '../policy/program.ts'
import { findVersion, inForce, type PolicySet, type ReleasedPolicy } from '../policy/set.ts'
import { evaluate, evaluateResults, type RuleResult } from './evaluate.ts'
import { familyOf } from './family.ts'
import { importParametersOf } from './import-parameters.ts'
import { type GivenOptions, resolveOptions } from './options.ts'
import { countsOf, missingOf, outcomeOf, remediationOrderOf, subjectOf } from './summarize.ts'

/** Generation of the evaluator: raised only when findings could differ for the same facts and policies. */
export const evaluator = 1

/** A verdict and the policies that it rests on, its own first. */
export interface Judgement {
  readonly verdict: Verdict
  readonly policies: readonly ReleasedPolicy[]
}

/** What the judging itself depends on; with the facts it determines the verdict, which is what replay relies on. */
export interface Selection {
  readonly policy: ReleasedPolicy
  readonly selectedBy: PolicyUsed['selectedBy']
  /** RFC 3339, UTC. */
  readonly asOf: string
  readonly options: Options
  /** The policy of an alternative type. */
  alternative(importAs: Alternative['importAs']): ReleasedPolicy | undefined
}

function notPassed(findings: readonly RuleResult[]): Alternative['notPassed'] {
  return findings.flatMap(({ effect, result, rule }) =>
    effect === 'none' || (result !== 'fail' && result !== 'unknown') ? [] : [{ effect, result, rule }],
  )
}

function alternativesOf(facts: ParsedFacts, selection: Selection, findings: readonly Finding[]) {
  const { alternatives } = selection.policy.policy
  const fails = findings.some(({ rule, result }) => rule === alternatives?.whenFails && result === 'fail')
  if (alternatives === undefined || !fails) return []
  return alternatives.importAs.flatMap((importAs) => {
    const released = selection.alternative(importAs)
    if (released === undefined) return []
    const results = evaluateResults(compilePolicy(released.policy), facts.document, { ...selection.options, importAs })
    const { digest, family, version } = released
    const alternative: Alternative = {
      importAs,
      notPassed: notPassed(results),
      outcome: outcomeOf(results),
      policy: { digest, family, version },
    }
    return [{ alternative, released }]
  })
}

function minimumDisk(policy: ReleasedPolicy): number {
  const value = policy.policy.parameters['minSystemDiskBytes']?.value
  return typeof value === 'number' ? value : 0
}

/** Evaluates facts under a selected policy: pure. Members stand in canonical order, so JSON.stringify gives the canonical form. */
export function judgeSelected(facts: ParsedFacts, selection: Selection): Judgement {
  const { policy, selectedBy, asOf, options } = selection
  const evaluated = evaluate(compilePolicy(policy.policy), facts.document, options)
  const findings = evaluated.map(({ finding }) => finding)
  const alternatives = alternativesOf(facts, selection, findings)
  const verdict: Verdict = {
    alternatives: alternatives.map(({ alternative }) => alternative),
    asOf,
    counts: countsOf(findings),
    documentDigest: facts.documentDigest,
    evaluator,
    factsDigest: facts.factsDigest,
    findings,
    importParameters: importParametersOf(facts.document, options, minimumDisk(policy)),
    missing: missingOf(evaluated, facts.document),
    options,
    outcome: outcomeOf(findings),
    policy: { digest: policy.digest, family: policy.family, selectedBy, version: policy.version },
    remediationOrder: remediationOrderOf(findings),
    schema: 'imagegate.verdict/1',
    subject: subjectOf(facts.document),
  }
  return { verdict, policies: [policy, ...new Set(alternatives.map(({ released }) => released))] }
}

function pinned(policies: PolicySet, family: string, version: string): ReleasedPolicy {
  const policy = findVersion(policies, family, version)
  if (policy === undefined) {
    throw new ImagegateError('POLICY_VERSION_UNKNOWN', `The family ${family} has no version ${version}.`)
  }
  if (policy.withdrawn === undefined) return policy
  const { at, reason } = policy.withdrawn
  throw new ImagegateError(
    'POLICY_VERSION_UNKNOWN',
    `Version ${version} of ${family} was withdrawn on ${at}: ${reason}`,
  )
}

function selected(policies: PolicySet, family: string, at: Date): ReleasedPolicy {
  const policy = inForce(policies, family, at)
  if (policy !== undefined) return policy
  const first = policies.versions.find((one) => one.family === family && one.withdrawn === undefined)
  const since = first === undefined ? 'there is none' : `the first is in force from ${first.effectiveFrom}`
  throw new ImagegateError(
    'POLICY_NOT_IN_FORCE',
    `No policy of ${family} was in force at ${at.toISOString()}; ${since}.`,
  )
}

/**
 * Selects the policy and evaluates. Throws IMPORT_AS_CONFLICT, POLICY_NOT_IN_FORCE or POLICY_VERSION_UNKNOWN.
 */
export function judge(policies: PolicySet, facts: ParsedFacts, given: GivenOptions, now: Date): Judgement {
  const options = resolveOptions(given)
  const family = familyOf(facts.document, options)
  const at = given.asOf === undefined ? now : new Date(given.asOf)
  const pin = given.policyVersion
  return judgeSelected(facts, {
    policy: pin === undefined ? selected(policies, family, at) : pinned(policies, family, pin),
    selectedBy: pin === undefined ? (given.asOf === undefined ? 'now' : 'asOf') : 'pin',
    asOf: at.toISOString(),
    options,
    alternative: () => inForce(policies, 'nonstandard-linux', at),
  })
}
