import { GuestError, type GuestFiles } from '../guest.ts'
import type { Part } from '../part.ts'
import { commandLineFacts, kernelFacts, type Listing, listInitramfs, loaderFacts } from './boot.ts'
import { filtering, firewallFacts } from './firewall.ts'
import { firewallAllowsSsh } from './firewall-ssh.ts'
import type { LinuxInput } from './input.ts'
import type { Installed } from './layout.ts'
import { findLoader, type Loader } from './loaders.ts'
import { networkFacts } from './network.ts'
import type { Packages } from './packages.ts'
import { selinuxConfig } from './selinux.ts'
import { readServices } from './services.ts'
import { sshListening, sshState } from './ssh.ts'
import { verifySystemFiles } from './system-files.ts'
import { type Found, missing, topic } from './topic.ts'

async function systemFiles(
  input: LinuxInput,
  files: GuestFiles,
  coreos: boolean,
  known: Promise<Packages>,
): Promise<Found> {
  if (coreos) throw new GuestError('unverifiable', 'CoreOS Container Linux has no package database.')
  if (input.verifySystemFiles !== true) {
    throw new GuestError('not-requested', 'The comparison with the package database was not asked for.')
  }
  const packages = await known
  const packaged = await packages.packaged()
  return verifySystemFiles(files, packages.database ?? 'dpkg', packaged)
}

/** What starts the system, and its initramfs, while they are read. */
export interface Starting {
  readonly loader: Promise<Loader | undefined>
  readonly listing: Listing
}

/** Begins with what takes longest. */
export function startLinux(input: LinuxInput, { files, layout }: Installed): Starting {
  const loader = findLoader(files)
  return { loader, listing: listInitramfs(input, files, loader, layout.coreos) }
}

/** The topics that only Linux answers. */
export async function collectLinuxOnly(
  input: LinuxInput,
  { files, layout }: Installed,
  packages: Promise<Packages>,
  { loader, listing }: Starting,
): Promise<Part[]> {
  const services = readServices(files)
  // Each topic that awaits it reports a failure; here it only must not be unhandled.
  services.catch(() => undefined)
  const configuration = 'configuration of the boot loader'
  return Promise.all([
    topic(['/boot/loader', '/boot/firmware'], configuration, async () => loaderFacts(files, input.disk, await loader)),
    topic(['/security/selinux/kernelCommandLine'], configuration, async () => commandLineFacts(await loader)),
    topic(['/boot/defaultKernel'], 'default entry, kernel and initramfs', async () =>
      kernelFacts(files, await loader, listing),
    ),
    topic(['/security/selinux/configPresent', '/security/selinux/configMode'], '/etc/selinux/config', () =>
      selinuxConfig(files, layout.coreos),
    ),
    topic(['/firewall/mechanisms'], 'services and their rules', async () => firewallFacts(files, await services)),
    topic(['/network'], 'network configuration of every carrier', async () => networkFacts(files, await services)),
    topic(['/remoteAccess/ssh/installed', '/remoteAccess/ssh/enabledAtBoot'], 'services', async () =>
      sshState(files, await services),
    ),
    topic(['/remoteAccess/ssh/ports', '/remoteAccess/ssh/loopbackOnly'], 'sshd_config and its socket', async () =>
      sshListening(files, await services),
    ),
    topic(['/remoteAccess/ssh/allowedByFirewall'], 'services and their rules', async () => {
      const { facts } = await firewallFacts(files, await services)
      const mechanisms = facts.firewall?.mechanisms ?? []
      // The fact is asked for only when a firewall is on.
      if (filtering(mechanisms).length === 0) return { facts: {} }
      const allowed = await firewallAllowsSsh(files, mechanisms)
      if (allowed !== undefined) return { facts: { remoteAccess: { ssh: { allowedByFirewall: allowed } } } }
      const reason = 'The rules do not show plainly whether port 22 is let in.'
      return { facts: {}, missing: [missing('/remoteAccess/ssh/allowedByFirewall', 'undeterminable', reason)] }
    }),
    topic(['/files/systemFiles/verification'], 'digests of the package database', () =>
      systemFiles(input, files, layout.coreos, packages),
    ),
  ])
}
