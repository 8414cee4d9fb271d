import { profileNames, type RdpRule, rdpRuleOf } from './firewall-rule.ts'
import type { RegistryKey } from './hivex-output.ts'
import type { Registry } from './registry.ts'
import { undecided } from './topic.ts'

const localRoot = 'Services\\SharedAccess\\Parameters\\FirewallPolicy'
const policyRoot = 'Policies\\Microsoft\\WindowsFirewall'

function rulesIn(key: RegistryKey | undefined): RdpRule[] {
  return [...(key?.values.values() ?? [])].flatMap((value) => {
    const rule = value.type === 'string' ? rdpRuleOf(value.text) : undefined
    return rule === undefined ? [] : [rule]
  })
}

/** Profile settings under which an allow rule does not let anything in. */
function ignoresRules({ system, software }: Registry): boolean {
  const local = ['DomainProfile', 'StandardProfile', 'PublicProfile'].map((profile) => `${localRoot}\\${profile}`)
  const policy = ['DomainProfile', 'StandardProfile', 'PrivateProfile', 'PublicProfile'].map(
    (profile) => `${policyRoot}\\${profile}`,
  )
  return (
    local.some((path) => (system.dword(path, 'DoNotAllowExceptions') ?? 0) !== 0) ||
    policy.some((path) => (software.dword(path, 'DoNotAllowExceptions') ?? 0) !== 0) ||
    policy.some((path) => software.dword(path, 'AllowLocalPolicyMerge') === 0)
  )
}

const coversAll = (rules: readonly RdpRule[]): boolean =>
  profileNames.every((name) => rules.some((rule) => !rule.restricted && rule.profiles.has(name)))

/** Whether active inbound rules of Vista and later let TCP 3389 in, in every profile and from everywhere; throws when only partly. */
export function rulesAllowRdp(registry: Registry): boolean {
  const local = registry.system.key(`${localRoot}\\FirewallRules`) ?? undecided('There is no list of firewall rules.')
  const rules = [...rulesIn(local), ...rulesIn(registry.software.key(`${policyRoot}\\FirewallRules`))]
  const allowing = rules.filter((rule) => rule.action === 'allow')
  const blocking = rules.filter((rule) => rule.action === 'block')
  if (allowing.length === 0 || coversAll(blocking)) return false
  if (blocking.length > 0) return undecided('A rule that blocks port 3389 holds for some profiles or addresses only.')
  if (ignoresRules(registry)) return undecided('A profile ignores exceptions or local rules.')
  if (coversAll(allowing)) return true
  return undecided('The rules for port 3389 hold for some profiles or addresses only.')
}
