import { foldName } from './names.ts'

/** What one inbound firewall rule of Windows Vista or later says about TCP port 3389. */
export interface RdpRule {
  readonly action: 'allow' | 'block'
  /** Profiles that the rule is active in. */
  readonly profiles: ReadonlySet<string>
  /** The rule speaks of some addresses, interfaces or peers only. */
  readonly restricted: boolean
}

/** The firewall's profiles since Vista. */
export const profileNames = ['domain', 'private', 'public'] as const

/** Members that say nothing about whether traffic matches. */
const descriptive = new Set([
  'name',
  'desc',
  'embedctxt',
  'edge',
  'defer',
  'action',
  'active',
  'dir',
  'profile',
  'protocol',
])
const matched = new Set(['app', 'svc', 'lport', 'lport2_10'])

function coversPort(fields: ReadonlyMap<string, readonly string[]>): boolean {
  const single = fields.get('lport') ?? []
  const ranges = fields.get('lport2_10') ?? []
  if (single.length + ranges.length === 0) return true
  if (single.includes('3389')) return true
  return [...single, ...ranges].some((range) => {
    const [, from, to] = /^(\d{1,5})-(\d{1,5})$/.exec(range) ?? []
    return from !== undefined && to !== undefined && Number(from) <= 3389 && 3389 <= Number(to)
  })
}

/** Remote Desktop runs in svchost.exe as TermService, or listens in the kernel (System); no app package or user owns it. */
function coversProgram(fields: ReadonlyMap<string, readonly string[]>): boolean {
  if (['apppkgid', 'luown', 'pfn'].some((member) => fields.has(member))) return false
  const program = foldName(fields.get('app')?.[0] ?? 'system')
  const service = foldName(fields.get('svc')?.[0] ?? '*')
  return (program === 'system' || program.endsWith('\\svchost.exe')) && (service === '*' || service === 'termservice')
}

/**
 * Reads a rule as the registry holds it (v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|…). Undefined for a rule that is not
 * active, not inbound, or speaks of something else; a member that is not known makes the rule restricted.
 */
export function rdpRuleOf(text: string): RdpRule | undefined {
  const [version, ...members] = text.split('|')
  if (!/^v\d{1,3}\.\d{1,3}$/.test(version ?? '')) return undefined
  const fields = new Map<string, string[]>()
  for (const member of members) {
    const equals = member.indexOf('=')
    if (equals < 0) continue
    const name = foldName(member.slice(0, equals))
    fields.set(name, [...(fields.get(name) ?? []), member.slice(equals + 1)])
  }
  const is = (name: string, value: string): boolean => foldName(fields.get(name)?.[0] ?? '') === value
  const action = is('action', 'allow') ? 'allow' : is('action', 'block') ? 'block' : undefined
  if (action === undefined || !is('active', 'true') || !is('dir', 'in')) return undefined
  if (fields.has('protocol') && !is('protocol', '6')) return undefined
  if (!coversPort(fields) || !coversProgram(fields)) return undefined
  const named = (fields.get('profile') ?? []).map(foldName)
  return {
    action,
    profiles: new Set(profileNames.filter((name) => named.length === 0 || named.includes(name))),
    restricted: [...fields.keys()].some((name) => !descriptive.has(name) && !matched.has(name)),
  }
}
