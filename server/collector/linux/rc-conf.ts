import type { GuestFiles } from '../guest.ts'
import { assignments, atMost, readText } from './text.ts'

const paths = ['/etc/defaults/rc.conf', '/etc/rc.conf', '/etc/rc.conf.local']
const maxFiles = 128

/** FreeBSD's settings: defaults, then the administrator's, the later over the earlier. */
export async function readRcConf(files: GuestFiles): Promise<Map<string, string>> {
  const entries = (await files.list('/etc/rc.conf.d')) ?? []
  const own = entries.filter(({ kind }) => kind === 'file').map(({ name }) => `/etc/rc.conf.d/${name}`)
  const wanted = atMost(maxFiles, 'files of rc.conf', [...paths, ...own.sort()])
  const texts = await Promise.all(wanted.map((path) => readText(files, path)))
  return new Map(texts.flatMap((text) => [...assignments(text ?? '')]))
}

/** A switch as rc.subr's checkyesno reads it. */
export function isYes(value: string | undefined): boolean {
  return /^(yes|true|on|1)$/i.test(value ?? '')
}
