import { canonicalize } from '../../digest.ts'
import type { Policy } from '../../documents/policy.ts'
import type { PolicyDiff } from '../../documents/policy-diff.ts'
import { ImagegateError } from '../../errors.ts'
import type { ReleasedPolicy } from '../set.ts'
import { givenBump, greatest, isEnough } from './bump.ts'
import { changedParameters, parametersUsed } from './parameters.ts'
import { type DiffOptions, ruleDiffs } from './rules.ts'
import { fromTo } from './values.ts'

/** A policy and the name that it was given by. */
export interface Named {
  readonly name: string
  readonly policy: ReleasedPolicy
}

function parameterDiffs(before: Policy, after: Policy): PolicyDiff['parameters'] {
  const using = (name: string) =>
    [...before.rules, ...after.rules].filter((rule) => parametersUsed(rule).includes(name)).map(({ id }) => id)
  const names = [...new Set([...Object.keys(before.parameters), ...Object.keys(after.parameters)])]
  const text = ({ parameters }: Policy, name: string) => canonicalize([parameters[name]])
  const changed = new Set(changedParameters(before, after))
  return names
    .filter((name) => text(before, name) !== text(after, name))
    .map((name) => ({
      name,
      ...fromTo(before.parameters[name]?.value, after.parameters[name]?.value),
      rules: [...new Set(using(name))],
      // Import parameters are made from it, too.
      bump: name === 'minSystemDiskBytes' && changed.has(name) ? 'minor' : 'patch',
    }))
}

function orderOf({ rules }: Policy, other: Policy): string[] {
  const known = new Set(other.rules.map(({ id }) => id))
  return rules.map(({ id }) => id).filter((id) => known.has(id))
}

function memberDiffs(before: Policy, after: Policy): PolicyDiff['members'] {
  const members: PolicyDiff['members'] = []
  for (const [member, bump] of [
    ['effectiveFrom', 'patch'],
    ['alternatives', 'minor'],
    ['title', 'patch'],
  ] as const) {
    if (canonicalize([before[member]]) === canonicalize([after[member]])) continue
    members.push({ member, ...fromTo(before[member], after[member]), bump })
  }
  if (orderOf(before, after).join() !== orderOf(after, before).join()) members.push({ member: 'order', bump: 'patch' })
  return members
}

function sideOf({ name, policy: { family, version, digest } }: Named): PolicyDiff['before'] {
  return { name, family, version, digest }
}

/**
 * What changes from one policy to another of the same family, and how much of the version that demands.
 * Throws OPTION_INVALID for two families.
 */
export function diffPolicies(before: Named, after: Named, options: DiffOptions): PolicyDiff {
  const [old, young] = [before.policy, after.policy]
  if (old.family !== young.family) {
    throw new ImagegateError(
      'OPTION_INVALID',
      `${before.name} is of ${old.family}, ${after.name} of ${young.family}: they share no rules.`,
    )
  }
  const rules = ruleDiffs([old, young], options)
  const parameters = parameterDiffs(old.policy, young.policy)
  const members = memberDiffs(old.policy, young.policy)
  const required = greatest([...rules, ...parameters, ...members].map(({ bump }) => bump))
  const given = givenBump(old.version, young.version)
  return {
    schema: 'imagegate.policy-diff/1',
    before: sideOf(before),
    after: sideOf(after),
    required,
    given,
    enough: isEnough(given, required),
    rules,
    parameters,
    members,
  }
}
