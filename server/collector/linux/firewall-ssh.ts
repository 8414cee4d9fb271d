import type { FirewallMechanism } from '../../documents/facts.ts'
import type { GuestFiles } from '../guest.ts'
import { filtering } from './firewall.ts'
import { assignments, contentLines, readText, wordsOf } from './text.ts'

/** Whether the INPUT chain of iptables-save rules surely lets port 22 in, or surely not; undefined when neither is plain. */
export function iptablesAllowSsh(text: string): boolean | undefined {
  let policy = 'ACCEPT'
  let table = ''
  for (const line of contentLines(text)) {
    if (line.startsWith('*')) table = line.slice(1).trim()
    if (table !== 'filter') continue
    policy = /^:INPUT\s+(\S+)/.exec(line)?.[1] ?? policy
    const words = wordsOf(line)
    if (words[0] !== '-A' || words[1] !== 'INPUT') continue
    const rule = words.slice(2).join(' ')
    const target = /(?:^| )-j (\S+)/.exec(rule)?.[1]
    if (
      /^(-m (state|conntrack) --(state|ctstate) NEW )?(-m tcp )?-p tcp (-m \S+ |--(state|ctstate) NEW |--dport 22 )*-j ACCEPT$/.test(
        rule,
      ) &&
      / --dport 22 /.test(rule)
    ) {
      return true
    }
    if (/^-j (DROP|REJECT)/.test(rule)) return false
    if (rule === '-j ACCEPT') return true
    // A rule for something else: another port, the loopback, packets of a connection that stands.
    const elsewhere = /^-i lo |-p (icmp|udp|ipv6-icmp|icmpv6)\b|ESTABLISHED|--dport (?!22 )\d+ /.test(rule)
    if (target !== undefined && !elsewhere && target !== 'LOG') return undefined
  }
  return policy === 'ACCEPT'
}

async function firewalldAllowsSsh(files: GuestFiles): Promise<boolean | undefined> {
  const conf = assignments((await readText(files, '/etc/firewalld/firewalld.conf')) ?? '')
  const zone = conf.get('DefaultZone') ?? 'public'
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(zone)) return undefined
  const own = (await files.list('/etc/firewalld/zones')) ?? []
  const others = own.filter(({ name }) => name.endsWith('.xml') && name !== `${zone}.xml`)
  // Another zone that was edited may have the interface.
  if (others.length > 0) return undefined
  const text =
    (await readText(files, `/etc/firewalld/zones/${zone}.xml`)) ??
    (await readText(files, `/usr/lib/firewalld/zones/${zone}.xml`))
  if (text === undefined || /<rule\b|target="(DROP|%%REJECT%%|REJECT)"/.test(text)) return undefined
  if (/<zone[^>]{0,500}target="ACCEPT"/.test(text)) return true
  return /<service\s+name="ssh"\s*\/>/.test(text) || /<port\s[^>]{0,200}port="22"/.test(text)
}

/** Whether the rules that load at boot let port 22 in; undefined when no firewall is on, or when it cannot be told. */
export async function firewallAllowsSsh(
  files: GuestFiles,
  installed: readonly FirewallMechanism[],
): Promise<boolean | undefined> {
  const answers = await Promise.all(
    filtering(installed).map(async ({ name }) => {
      if (name === 'firewalld') return firewalldAllowsSsh(files)
      if (name === 'ip6tables') return true
      if (name !== 'iptables' && name !== 'netfilter-persistent') return undefined
      const path = name === 'iptables' ? '/etc/sysconfig/iptables' : '/etc/iptables/rules.v4'
      return iptablesAllowSsh((await readText(files, path)) ?? '')
    }),
  )
  if (answers.length === 0 || answers.includes(undefined)) return undefined
  return answers.every((answer) => answer === true)
}
