import { type Configured, ipv6Of, kindOfName } from './interface.ts'
import { isYes } from './rc-conf.ts'
import { wordsOf } from './text.ts'

const suffixes = /_(ipv6|alias\d{1,4}|aliases|descr|name)$/

/** IPv6 addresses in the arguments of ifconfig. */
function inet6(value: string): string[] {
  const words = wordsOf(value)
  const found = words.flatMap((word, index) => (words[index - 1] === 'inet6' ? (ipv6Of(word) ?? []) : []))
  return found
}

/** The interfaces that rc.conf configures. ifconfig_DEFAULT stands for any that is not named. */
export function rcInterfaces(settings: ReadonlyMap<string, string>): Configured[] {
  const names = new Set<string>()
  for (const key of settings.keys()) {
    const name = /^ifconfig_(.+)$/.exec(key)?.[1]?.replace(suffixes, '')
    if (name !== undefined && !name.endsWith('_ipv6')) names.add(name)
  }
  const routed = settings.has('defaultrouter') && !/^no$/i.test(settings.get('defaultrouter') ?? 'NO')
  return [...names].map((name) => {
    const value = settings.get(`ifconfig_${name}`) ?? ''
    const words = wordsOf(value).map((word) => word.toUpperCase())
    const aliases = [...settings].filter(([key]) => key.startsWith(`ifconfig_${name}_`)).map(([, one]) => one)
    const listed = wordsOf(settings.get(`ipv6_addrs_${name}`) ?? '').map(ipv6Of)
    const dhcp = words.includes('DHCP') || words.includes('SYNCDHCP') || words.includes('NOSYNCDHCP')
    const fixed = words.includes('INET') || /^\d{1,3}\.\d/.test(value)
    const kind = name === 'DEFAULT' ? 'template' : kindOfName(name)
    return {
      name,
      kind,
      up: !words.includes('NOAUTO') && !words.includes('DOWN'),
      ipv4: dhcp ? 'dhcp' : fixed && kind !== 'loopback' ? 'static' : 'none',
      carrier: 'rc.conf',
      route: dhcp || (fixed && routed && kind !== 'loopback'),
      addresses6: [...inet6(value), ...aliases.flatMap(inet6), ...listed].filter((address) => address !== undefined),
    }
  })
}

/** Whether cloud-init, or FreeBSD's own small form of it, configures what rc.conf does not name. */
export function rcAutomatic(settings: ReadonlyMap<string, string>): 'cloud-init' | 'none' {
  return isYes(settings.get('cloudinit_enable')) || isYes(settings.get('nuageinit_enable')) ? 'cloud-init' : 'none'
}
