import type { Part } from '../part.ts'
import { passwordFile, rootAccount } from './accounts.ts'
import { agentFacts } from './agents.ts'
import { collectDisk } from './disk-part.ts'
import { collectFreebsd } from './freebsd.ts'
import { fstabFacts } from './fstab-facts.ts'
import type { LinuxInput } from './input.ts'
import { issueFacts } from './issue.ts'
import { findInstalled, type Installed } from './layout.ts'
import { collectLinuxOnly, startLinux } from './linux-only.ts'
import { menuLstFacts } from './loaders.ts'
import { osFacts, readReleases } from './os.ts'
import { type Packages, readPackages } from './packages.ts'
import { missing, missingFor, topic } from './topic.ts'

/** The topics that Linux and FreeBSD answer alike. */
function common(input: LinuxInput, { files, layout, fstab }: Installed, packages: Promise<Packages>): Promise<Part>[] {
  const releases = readReleases(files)
  // Each topic that awaits it reports a failure; here it only must not be unhandled.
  releases.catch(() => undefined)
  const agents = ['/agents/cloudInit', '/agents/qemuGuestAgent', '/agents/ignition', '/agents/coreosCloudinit']
  return [
    topic(['/os', '/files/releaseFiles'], 'release files', async () => osFacts(files, await releases)),
    topic(['/files/issue'], '/etc/issue', async () => issueFacts(files, (await releases).distribution?.id)),
    topic(['/files/fstab'], '/etc/fstab and the volumes', () => fstabFacts(input, files, fstab)),
    topic(['/files/passwordFile'], 'attributes of the password file', () => passwordFile(files, layout.freebsd)),
    topic(['/accounts/root'], 'password file', () => rootAccount(files, layout.freebsd)),
    topic(['/files/menuLst'], '/boot/grub/menu.lst', async () => ({
      facts: { files: { menuLst: await menuLstFacts(files) } },
    })),
    topic(agents, 'package database and programs', async () =>
      agentFacts(files, await packages.catch(() => undefined)),
    ),
  ]
}

/**
 * Collects what a Linux or FreeBSD guest's files tell. No part at all: no volume holds such a system. Each topic stands by
 * itself, and all run at once, so that reads in one turn go to the drivers together.
 */
export async function collectLinux(input: LinuxInput): Promise<Part[]> {
  const installed = await findInstalled(input)
  if (!('files' in installed)) {
    if (installed.failures.length === 0) return []
    const lost = missingFor(['/os'], 'a volume', installed.failures[0])
    const unread = lost.length > 0 ? lost : [missing('/os', 'unreadable', 'A volume could not be read.')]
    return [{ facts: {}, method: 'volumes of the image', missing: unread }]
  }
  const { files, layout } = installed
  const starting = layout.freebsd ? undefined : startLinux(input, installed)
  // The initramfs is unpacked beside everything else, so nothing else comes before it.
  await starting?.listing.begun
  input.onReading?.()
  const packages = readPackages(files, input.verifySystemFiles === true)
  packages.catch(() => undefined)
  const own = starting ? collectLinuxOnly(input, installed, packages, starting) : collectFreebsd(input, files)
  const [disk, alike, parts] = await Promise.all([
    collectDisk(input, layout),
    Promise.all(common(input, installed, packages)),
    own,
  ])
  return [...disk, ...alike, ...parts]
}
