import type { Security } from '../../documents/facts.ts'
import type { GuestFiles } from '../guest.ts'
import type { Missing } from '../part.ts'
import { linesOf, readText, stated } from './text.ts'
import { type Found, missing } from './topic.ts'

type Selinux = NonNullable<Security['selinux']>
const path = '/etc/selinux/config'
const modes = ['enforcing', 'permissive', 'disabled'] as const

/** The mode, read as libselinux does: the first line that begins with SELINUX= and a mode, in any case of letters. */
export function selinuxMode(text: string): Selinux['configMode'] {
  for (const line of linesOf(text)) {
    if (!line.startsWith('SELINUX=')) continue
    const value = line.slice(8).trimStart().toLowerCase()
    const mode = modes.find((one) => value.startsWith(one))
    if (mode !== undefined) return mode
  }
  return undefined
}

/** What the kernel's own command line says of SELinux; the last word counts. */
export function selinuxOnCommandLine(words: readonly string[]): NonNullable<Selinux['kernelCommandLine']> {
  const last = words.findLast((word) => /^selinux=[01]$/.test(word))
  if (last !== undefined) return last === 'selinux=1' ? 'on' : 'off'
  return words.findLast((word) => word.startsWith('security=')) === 'security=selinux' ? 'on' : 'unset'
}

/** The configuration file. Only CoreOS Container Linux keeps its own copy, with which the file can be compared. */
export async function selinuxConfig(files: GuestFiles, coreos: boolean): Promise<Found> {
  const [text, shipped] = await Promise.all([
    readText(files, path),
    coreos ? readText(files, '/usr/lib/selinux/config') : undefined,
  ])
  if (text === undefined) return { facts: { security: { selinux: { configPresent: false } } } }
  const configMode = selinuxMode(text)
  const configIsDistributionDefault = shipped === undefined ? undefined : shipped === text
  const lost: Missing[] = []
  if (configMode === undefined) {
    lost.push(missing('/security/selinux/configMode', 'not-understood', `${path} names no known mode.`))
  }
  if (configIsDistributionDefault === undefined) {
    const reason = 'The distribution keeps no copy of the file to compare with.'
    lost.push(missing('/security/selinux/configIsDistributionDefault', 'unverifiable', reason))
  }
  return {
    facts: { security: { selinux: stated({ configPresent: true, configMode, configIsDistributionDefault }) } },
    missing: lost,
  }
}
