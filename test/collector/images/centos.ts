import { gzipSync } from 'node:zlib'
import type { Changes } from './changes.ts'
import { cpio } from './cpio.ts'
import { hashCanary, rootUuid, shadow } from './debian10.ts'

/** What a crafted CentOS says of itself. */
export interface CentosRelease {
  readonly major: 7 | 8
  readonly version: string
  readonly kernel: string
}

/** The two releases of CentOS that are made. */
export const centosReleases = {
  centos7: { major: 7, version: '7.9.2009', kernel: '3.10.0-1160.el7.x86_64' },
  centos8: { major: 8, version: '8.3.2011', kernel: '4.18.0-240.el8.x86_64' },
} as const satisfies Record<string, CentosRelease>

const drivers = [
  'kernel/drivers/block/virtio_blk.ko.xz',
  'kernel/drivers/virtio/virtio.ko.xz',
  'kernel/drivers/virtio/virtio_ring.ko.xz',
  'kernel/drivers/virtio/virtio_pci.ko.xz',
  'kernel/drivers/block/xen-blkfront.ko.xz',
]
const netDrivers = ['kernel/drivers/net/virtio_net.ko.xz', 'kernel/drivers/net/xen-netfront.ko.xz']

const unit = (description: string) => `[Unit]
Description=${description}
[Service]
ExecStart=/usr/bin/true
[Install]
WantedBy=multi-user.target
`

/** A kernel image as far as a reader looks at it: a boot sector's magic, the header, and the release's text. */
function kernelImage(release: string): Buffer {
  const image = Buffer.alloc(4096)
  image.writeUInt16LE(0xaa55, 0x1fe)
  image.write('HdrS', 0x202, 'latin1')
  image.writeUInt16LE(0x20d, 0x206)
  image.writeUInt16LE(0x400 - 0x200, 0x20e)
  image.write(`${release} (mockbuild@centos) #1 SMP\0`, 0x400, 'latin1')
  return image
}

function bootFiles({ major, kernel }: CentosRelease): Changes {
  const words = `root=UUID=${rootUuid} ro crashkernel=auto`
  if (major === 8) {
    return {
      '/boot/grub2/grub.cfg': 'load_env\nset default="$saved_entry"\ninsmod blscfg\nblscfg\n',
      '/boot/grub2/grubenv': `# GRUB Environment Block\nsaved_entry=0123456789abcdef0123456789abcdef-${kernel}\nkernelopts=${words}\n`,
      [`/boot/loader/entries/0123456789abcdef0123456789abcdef-${kernel}.conf`]: `title CentOS Linux (${kernel}) 8
version ${kernel}
linux /boot/vmlinuz-${kernel}
initrd /boot/initramfs-${kernel}.img
options $kernelopts
id centos-20201203
grub_users $grub_users
grub_arg --unrestricted
grub_class kernel
`,
    }
  }
  return {
    '/boot/grub2/grub.cfg': `load_env
set default="\${saved_entry}"
menuentry 'CentOS Linux (${kernel}) 7 (Core)' --class centos --unrestricted $menuentry_id_option 'gnulinux-${kernel}-advanced-${rootUuid}' {
	load_video
	insmod xfs
	linux16 /boot/vmlinuz-${kernel} ${words}
	initrd16 /boot/initramfs-${kernel}.img
}
`,
    '/boot/grub2/grubenv': `# GRUB Environment Block\nsaved_entry=CentOS Linux (${kernel}) 7 (Core)\n`,
  }
}

/** A CentOS system as far as any rule looks at it: its files, without any program of it. rpm's database is added elsewhere. */
export function centos(release: CentosRelease, rootType = 'ext4'): Changes {
  const { major, version, kernel } = release
  const modules = `/usr/lib/modules/${kernel}`
  const inArchive = drivers.map((path) => ({ path: `${modules.slice(1)}/${path}`, content: 'ELF' }))
  const initramfs = gzipSync(cpio([...inArchive, { path: 'init', content: '#!/bin/sh\n' }]))
  const codename = major === 7 ? ' (Core)' : ''
  const banner = `CentOS Linux release ${version}${codename}\n`
  const paths = [...drivers, ...netDrivers]
  return {
    '/bin': { link: 'usr/bin' },
    '/sbin': { link: 'usr/sbin' },
    '/lib': { link: 'usr/lib' },
    '/lib64': { link: 'usr/lib64' },
    '/usr/bin': { directory: true },
    '/usr/lib64': { directory: true },
    '/proc': { directory: true },
    '/sys': { directory: true },
    '/dev': { directory: true },
    '/var/log': { directory: true },
    '/usr/lib/os-release': `NAME="CentOS Linux"
VERSION="${major}${codename}"
ID="centos"
ID_LIKE="rhel fedora"
VERSION_ID="${major}"
PRETTY_NAME="CentOS Linux ${major}${codename}"
`,
    '/etc/os-release': { link: '../usr/lib/os-release' },
    '/etc/centos-release': banner,
    '/etc/redhat-release': { link: 'centos-release' },
    '/etc/system-release': { link: 'centos-release' },
    '/etc/issue': '\\S\nKernel \\r on an \\m\n\n',
    '/etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    '/etc/fstab': `UUID=${rootUuid} / ${rootType} defaults 0 0\n`,
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
    '/etc/shadow': { ...shadow(hashCanary), mode: 0 },
    '/etc/selinux/config': 'SELINUX=disabled\nSELINUXTYPE=targeted\n',
    '/etc/sysconfig/network': '# Created by anaconda\n',
    '/etc/sysconfig/network-scripts/ifcfg-eth0':
      'TYPE=Ethernet\nBOOTPROTO=dhcp\nDEFROUTE=yes\nIPV6INIT=no\nNAME=eth0\nDEVICE=eth0\nONBOOT=yes\n',
    '/etc/ssh/sshd_config': 'SyslogFacility AUTHPRIV\nPermitRootLogin yes\nUsePAM yes\n',
    '/usr/sbin/sshd': { content: 'ELF', mode: 0o755 },
    '/usr/sbin/init': { link: '../lib/systemd/systemd' },
    '/usr/lib/systemd/systemd': { content: 'ELF', mode: 0o755 },
    '/usr/lib/systemd/system/multi-user.target': '[Unit]\nDescription=Multi-User System\n',
    '/usr/lib/systemd/system/sshd.service': unit('OpenSSH server daemon'),
    '/usr/lib/systemd/system/NetworkManager.service': unit('Network Manager'),
    '/usr/lib/systemd/system/cloud-init.service': unit('Initial cloud-init job'),
    '/etc/systemd/system/default.target': { link: '/usr/lib/systemd/system/multi-user.target' },
    ...Object.fromEntries(
      ['sshd', 'NetworkManager', 'cloud-init'].map((name) => [
        `/etc/systemd/system/multi-user.target.wants/${name}.service`,
        { link: `/usr/lib/systemd/system/${name}.service` },
      ]),
    ),
    '/usr/bin/cloud-init': { content: '#!/usr/bin/python\n', mode: 0o755 },
    '/etc/cloud/cloud.cfg': 'users:\n - default\ndisable_root: 1\n',
    [`/boot/vmlinuz-${kernel}`]: kernelImage(kernel),
    [`/boot/config-${kernel}`]:
      'CONFIG_VIRTIO=m\nCONFIG_VIRTIO_BLK=m\nCONFIG_VIRTIO_PCI=m\nCONFIG_VIRTIO_NET=m\nCONFIG_XEN_BLKDEV_FRONTEND=m\nCONFIG_XEN_NETDEV_FRONTEND=m\n',
    [`/boot/initramfs-${kernel}.img`]: initramfs,
    ...bootFiles(release),
    ...Object.fromEntries(paths.map((path) => [`${modules}/${path}`, 'ELF'])),
    [`${modules}/modules.dep`]: paths.map((path) => `${path}:\n`).join(''),
    [`${modules}/modules.builtin`]: 'kernel/fs/ext4/ext4.ko\n',
  }
}
