import { GuestError, type GuestFiles } from '../guest.ts'
import { installedScripts, startedScripts, upstartJobs } from './init-scripts.ts'
import { Systemd } from './systemd.ts'

/** Which services are installed and start at boot, whichever init runs them. */
export interface Services {
  /** systemd's units; undefined when another init runs. */
  readonly systemd: Systemd | undefined
  /** A unit, job or script of one of the names is there. A name has no ending; .service is meant. */
  installed(...names: readonly string[]): boolean
  /** One of them starts at boot. */
  startsAtBoot(...names: readonly string[]): Promise<boolean>
}

const systemdPrograms = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd']

/** Which init the kernel starts. A link decides; a program of its own is Upstart or the older init. */
async function runsSystemd(files: GuestFiles): Promise<boolean> {
  const [init, ...programs] = await Promise.all(['/sbin/init', ...systemdPrograms].map((path) => files.stat(path)))
  if (init?.kind === 'link') {
    const target = init.target ?? ''
    if (target.endsWith('/systemd')) return true
    if (/upstart|sysvinit/.test(target)) return false
  }
  // What reads btrfs follows links without telling them: then init has the size of systemd itself.
  if (init?.kind === 'file') return programs.some((stat) => stat?.kind === 'file' && stat.sizeBytes === init.sizeBytes)
  return programs.some((stat) => stat !== undefined)
}

/** Reads the services of a Linux guest. */
export async function readServices(files: GuestFiles): Promise<Services> {
  const [underSystemd, units, scripts, jobs] = await Promise.all([
    runsSystemd(files),
    Systemd.read(files),
    installedScripts(files),
    upstartJobs(files),
  ])
  const systemd = underSystemd ? units : undefined
  const started = await startedScripts(files, underSystemd)
  if (systemd === undefined && scripts.size === 0 && jobs.installed.size === 0) {
    throw new GuestError('unsupported', 'The guest is started neither by systemd nor by Upstart nor by init scripts.')
  }
  const upstart = systemd === undefined
  const one = async (name: string): Promise<boolean> => {
    if (systemd?.has(`${name}.service`)) return systemd.startsAtBoot(`${name}.service`)
    if (upstart && jobs.installed.has(name)) return jobs.startsAtBoot(name)
    return started.has(name) && scripts.has(name)
  }
  return {
    systemd,
    installed: (...names) =>
      names.some(
        (name) => systemd?.has(`${name}.service`) || (upstart && jobs.installed.has(name)) || scripts.has(name),
      ),
    startsAtBoot: async (...names) => (await Promise.all(names.map(one))).includes(true),
  }
}
