import { readdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { cached } from './cache.ts'
import { copyTree } from './changes.ts'
import { forgetRemoved } from './dpkg.ts'
import { run } from './run.ts'

/** Programs that debianTree needs, besides root. */
export const debianPrograms = ['debootstrap', 'apt-get', 'unshare', 'cp'] as const

const suite = 'bookworm'
const packages = [
  'linux-image-amd64',
  'initramfs-tools',
  'openssh-server',
  'cloud-init',
  // What cloud-init's libraries ask for by a virtual name, which debootstrap does not resolve.
  'python3-cffi-backend',
  'ifupdown',
  'isc-dhcp-client',
  'grub-pc',
  'systemd-sysv',
  'udev',
  'netbase',
  'iproute2',
]

/** What the small tree leaves out: documentation, translations, what apt keeps, and most modules of the kernel. */
const leftOut = [
  ...['doc', 'locale', 'man', 'i18n', 'info', 'zoneinfo', 'lintian', 'bug'].map((name) => `usr/share/${name}`),
  'var/lib/apt/lists',
]
const keptModules = /virtio|xen|ext4|jbd2|mbcache|crc|failover/

/** Where this machine's apt configuration takes Debian's packages from. */
async function mirror(): Promise<string> {
  const ask = () =>
    run('apt-get', ['indextargets', '--format', '$(CODENAME) $(SITE)', 'Created-By: Packages', 'Origin: Debian'])
  const sites = (text: string) => text.split('\n').flatMap((line) => /^bookworm (\S+)$/.exec(line)?.[1] ?? [])
  let found = sites((await ask()).stdout.toString())[0]
  if (found === undefined) {
    await run('apt-get', ['-qq', 'update'])
    found = sites((await ask()).stdout.toString())[0]
  }
  if (found === undefined) throw new Error(`apt on this machine knows no source of Debian ${suite}.`)
  return found
}

/**
 * A Debian system from debootstrap: a kernel with its initramfs, openssh-server, cloud-init, ifupdown, a DHCP client and
 * GRUB. It is made once and kept; the folder must not be changed.
 */
export async function debianTree(): Promise<string> {
  const folder = await cached('debian', { suite, packages }, async (part) => {
    const tree = join(part, 'tree')
    const include = `--include=${packages.join(',')}`
    // What debootstrap mounts goes with its own name space.
    const args = ['--mount', 'debootstrap', '--variant=minbase', include, suite, tree, await mirror()]
    await run('unshare', args)
    await rm(join(tree, 'var/cache/apt'), { recursive: true })
  })
  return join(folder, 'tree')
}

async function removeModules(tree: string): Promise<void> {
  const top = join(tree, 'usr/lib/modules')
  for (const entry of await readdir(top, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && path.endsWith('.ko') && !keptModules.test(relative(top, path))) await rm(path)
  }
}

/** The Debian system without documentation, translations and most modules, which no rule needs. */
export async function smallDebianTree(): Promise<string> {
  const folder = await cached(
    'debian-small',
    { suite, packages, leftOut, kept: keptModules.source, sums: true },
    async (part) => {
      const tree = join(part, 'tree')
      await copyTree(await debianTree(), tree)
      for (const path of leftOut) await rm(join(tree, path), { recursive: true, force: true })
      await removeModules(tree)
      await forgetRemoved(tree)
    },
  )
  return join(folder, 'tree')
}

/** The release of the one kernel that a tree holds. */
export async function kernelOf(tree: string): Promise<string> {
  const [release] = await readdir(join(tree, 'usr/lib/modules'))
  if (release === undefined) throw new Error('The tree holds no kernel.')
  return release
}
