import type { Files } from '../../documents/facts.ts'
import type { GuestFiles } from '../guest.ts'
import { readText, stated } from './text.ts'
import { type Found, missing } from './topic.ts'

/** How the distributions call themselves before a logon. */
const names: readonly (readonly [pattern: RegExp, id: string])[] = [
  [/centos stream/i, 'centos-stream'],
  [/centos/i, 'centos'],
  [/red ?hat/i, 'rhel'],
  [/fedora coreos/i, 'fedora-coreos'],
  [/fedora/i, 'fedora'],
  [/debian/i, 'debian'],
  [/ubuntu/i, 'ubuntu'],
  [/tumbleweed/i, 'opensuse-tumbleweed'],
  [/opensuse/i, 'opensuse'],
  [/suse linux enterprise|\bsle[sd]\b/i, 'sles'],
  [/alibaba cloud linux/i, 'alinux'],
  [/aliyun linux/i, 'aliyun'],
  [/freebsd/i, 'freebsd'],
  [/flatcar/i, 'flatcar'],
  [/\bcoreos\b/i, 'coreos'],
  [/oracle linux/i, 'ol'],
  [/rocky linux/i, 'rocky'],
  [/almalinux/i, 'almalinux'],
  [/amazon linux/i, 'amzn'],
  [/scientific linux/i, 'scientific'],
  [/\bkali\b/i, 'kali'],
  [/arch linux/i, 'arch'],
  [/gentoo/i, 'gentoo'],
  [/linux mint/i, 'linuxmint'],
]

/** One product under two identifiers. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['aliyun', 'alinux'],
  ['centos-stream', 'centos'],
])

/** Which distribution a banner names, compared with the installed one. A banner that names both names the same. */
export function issueNames(text: string, id: string): 'same' | 'other' | 'none' {
  const plain = (one: string) => aliases.get(one) ?? one
  const named = names.filter(([pattern]) => pattern.test(text)).map(([, one]) => plain(one))
  if (named.includes(plain(id))) return 'same'
  return named.length > 0 ? 'other' : 'none'
}

/** The facts about /etc/issue. */
export async function issueFacts(files: GuestFiles, id: string | undefined): Promise<Found> {
  const [stat, text] = await Promise.all([files.stat('/etc/issue'), readText(files, '/etc/issue')])
  if (stat === undefined) return { facts: { files: { issue: { kind: 'missing' } } } }
  const generated = stat.kind === 'link' && /(^|\/)run\//.test(stat.target ?? '')
  const kind = generated ? ('generated' as const) : stat.kind === 'link' ? ('link' as const) : ('regular' as const)
  if (text === undefined) {
    const lost = missing(
      '/files/issue/names',
      'not-written',
      'The system writes the text at boot; the image does not hold it.',
    )
    return { facts: { files: { issue: { kind } } }, missing: [lost] }
  }
  const issue: NonNullable<Files['issue']> = stated({
    kind,
    names: id === undefined ? undefined : issueNames(text, id),
    usesEscapes: /\\[sS]/.test(text),
  })
  if (id !== undefined) return { facts: { files: { issue } } }
  return {
    facts: { files: { issue } },
    missing: [missing('/files/issue/names', 'not-named', 'The distribution is not known.')],
  }
}
