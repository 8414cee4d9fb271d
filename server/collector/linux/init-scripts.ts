import type { GuestFiles } from '../guest.ts'
import { readText } from './text.ts'

/** Where the links of a run level stand: Debian, Red Hat, SUSE. */
const levelRoots = ['/etc/rc', '/etc/rc.d/rc', '/etc/init.d/rc']
const bootDirectories = ['/etc/rcS.d', '/etc/init.d/boot.d']

async function defaultLevels(files: GuestFiles, underSystemd: boolean): Promise<string[]> {
  if (underSystemd) return ['2', '3', '4', '5']
  const inittab = (await readText(files, '/etc/inittab')) ?? ''
  const level = /^[^#:\n]{0,14}:([0-9]):initdefault:/m.exec(inittab)?.[1]
  if (level !== undefined) return [level]
  const init = (await readText(files, '/etc/init/rc-sysinit.conf')) ?? ''
  return [/^env DEFAULT_RUNLEVEL=([0-9])/m.exec(init)?.[1] ?? '2']
}

/** Init scripts that the default run level starts, by name. Under systemd every level counts, because its generator takes them. */
export async function startedScripts(files: GuestFiles, underSystemd: boolean): Promise<Set<string>> {
  const levels = await defaultLevels(files, underSystemd)
  const directories = [...levels.flatMap((level) => levelRoots.map((root) => `${root}${level}.d`)), ...bootDirectories]
  const lists = await Promise.all(directories.map((directory) => files.list(directory)))
  const names = lists.flatMap((list) => list ?? []).map(({ name }) => /^S\d\d(.+)$/.exec(name)?.[1])
  return new Set(names.filter((name) => name !== undefined))
}

/** Init scripts that are installed, by name. */
export async function installedScripts(files: GuestFiles): Promise<Set<string>> {
  const lists = await Promise.all(['/etc/init.d', '/etc/rc.d/init.d'].map((directory) => files.list(directory)))
  return new Set(lists.flatMap((list) => list ?? []).map(({ name }) => name))
}

/** Upstart's jobs: installed, and whether a job starts by itself. */
export interface UpstartJobs {
  readonly installed: ReadonlySet<string>
  startsAtBoot(job: string): Promise<boolean>
}

/** Reads which jobs Upstart has; a job starts when its file says start on and no override says manual. */
export async function upstartJobs(files: GuestFiles): Promise<UpstartJobs> {
  const entries = (await files.list('/etc/init')) ?? []
  const installed = new Set(entries.flatMap(({ name }) => (name.endsWith('.conf') ? [name.slice(0, -5)] : [])))
  const startsAtBoot = async (job: string): Promise<boolean> => {
    if (!installed.has(job)) return false
    const [text = '', override = ''] = await Promise.all(
      ['conf', 'override'].map((ending) => readText(files, `/etc/init/${job}.${ending}`)),
    )
    const manual = /^[ \t]*manual[ \t]*$/m
    const restarted = /^[ \t]*start[ \t]+on\b/m
    if (restarted.test(override)) return !manual.test(override)
    return restarted.test(text) && !manual.test(text) && !manual.test(override)
  }
  return { installed, startsAtBoot }
}
