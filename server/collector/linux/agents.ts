import type { Agents } from '../../documents/facts.ts'
import type { GuestFiles } from '../guest.ts'
import type { Missing } from '../part.ts'
import { versionIn } from './distribution.ts'
import type { Packages } from './packages.ts'
import { shown, stated } from './text.ts'
import { type Found, missing } from './topic.ts'

type CloudInit = NonNullable<Agents['cloudInit']>

const cloudInitPrograms = [
  '/usr/bin/cloud-init',
  '/usr/local/bin/cloud-init',
  '/bin/cloud-init',
  '/opt/cloud-init/bin/cloud-init',
]
const guestAgentPrograms = [
  '/usr/sbin/qemu-ga',
  '/usr/bin/qemu-ga',
  '/usr/local/bin/qemu-ga',
  '/usr/local/sbin/qemu-ga',
]
const guestAgentPackages = ['qemu-guest-agent', 'qemu-ga', 'kvm-guest-agent']
const libraries = ['/usr/lib', '/usr/lib64', '/usr/local/lib']

async function present(files: GuestFiles, paths: readonly string[]): Promise<boolean> {
  return (await Promise.all(paths.map((path) => files.stat(path)))).some((stat) => stat !== undefined)
}

/** A version as a package database gives it, cut to the upstream number: an epoch in front and a revision behind fall away. */
export function upstreamVersion(text: string): string | undefined {
  return versionIn(text.replace(/^\d+:/, ''))
}

/** Whether a version is one of Alibaba Cloud's own builds: 0.7.6a15, 19.1.3. Upstream never released 19.1 with a third number. */
export function isAlibabaBuild(text: string): boolean {
  return /^0\.7\.6a\d{1,4}(?!\d)/.test(text) || /^19\.1\.\d{1,4}(?!\d)/.test(text)
}

/** The version in the name of a Python package's directory: cloud_init-20.2-py3.8.egg-info. */
async function pythonVersion(files: GuestFiles): Promise<string | undefined> {
  const lists = await Promise.all(libraries.map((library) => files.list(library)))
  const directories = lists.flatMap((list, index) =>
    (list ?? [])
      .filter(({ name }) => /^python[23](\.\d{1,2})?$/.test(name))
      .flatMap(({ name }) =>
        ['site-packages', 'dist-packages'].map((end) => `${libraries[index] ?? ''}/${name}/${end}`),
      ),
  )
  const packages = await Promise.all(directories.map((directory) => files.list(directory)))
  const names = packages.flatMap((list) => list ?? []).map(({ name }) => name)
  const found = names.map(
    (name) => /^cloud_init-(\d[0-9A-Za-z.+]{0,62}?)(-py[\d.]+)?(\.egg-info|\.dist-info|\.egg)$/.exec(name)?.[1],
  )
  return found.find((version) => version !== undefined)
}

async function cloudInit(
  files: GuestFiles,
  packages: Packages | undefined,
): Promise<{ facts: CloudInit; lost: Missing[] }> {
  const known = packages?.installed.get('cloud-init')
  const [program, version] = await Promise.all([present(files, cloudInitPrograms), pythonVersion(files)])
  if (known === undefined && !program) return { facts: { installed: false }, lost: [] }
  const text = known?.version.replace(/^\d+:/, '') ?? version
  if (text === undefined) {
    const lost = missing(
      '/agents/cloudInit/version',
      'not-found',
      'Neither a package nor a Python package tells the version.',
    )
    return { facts: { installed: true }, lost: [lost] }
  }
  const alibaba = isAlibabaBuild(text) || (version !== undefined && isAlibabaBuild(version))
  const facts: CloudInit = stated({
    installed: true,
    version: upstreamVersion(text),
    versionText: shown(text, 128),
    build: alibaba ? 'alibaba' : 'native',
  } as const)
  return { facts, lost: [] }
}

/** The programs that the platform needs, or must not find; without a readable package database by their files alone. */
export async function agentFacts(files: GuestFiles, packages: Packages | undefined): Promise<Found> {
  const [cloud, ignition, coreosCloudinit, program] = await Promise.all([
    cloudInit(files, packages),
    present(files, [
      '/usr/bin/ignition',
      '/usr/libexec/ignition',
      '/usr/lib/dracut/modules.d/30ignition/ignition-setup.sh',
      '/usr/lib/dracut/modules.d/30ignition',
    ]),
    present(files, ['/usr/bin/coreos-cloudinit']),
    present(files, guestAgentPrograms),
  ])
  const named = guestAgentPackages.find((name) => packages?.installed.has(name))
  const agents: Agents = {
    cloudInit: cloud.facts,
    ignition: { installed: ignition },
    coreosCloudinit: { installed: coreosCloudinit },
    qemuGuestAgent: stated({
      installed: program || named !== undefined,
      name: named ?? (program ? 'qemu-ga' : undefined),
    }),
  }
  return { facts: { agents }, missing: cloud.lost }
}
