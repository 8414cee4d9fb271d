import { gzipSync } from 'node:zlib'
import type { Changes } from './changes.ts'
import { cpio } from './cpio.ts'
import { smallDebianTree } from './debian.ts'
import { grubConfig, rootLine, rootUuid, shadow } from './debian10.ts'
import { dpkgStatus, dpkgWith } from './dpkg.ts'

/** One thing that is not as it should be in an otherwise good image. */
export interface Fault {
  /** The statement of the requirements that it breaks, or whose good side it shows. */
  readonly requirement: string
  /** Files of the guest that differ. */
  readonly changes?: (kernel: string) => Changes | Promise<Changes>
  /** What debugfs does besides. */
  readonly commands?: readonly string[]
}

const archive = (kernel: string, names: readonly string[]) =>
  gzipSync(cpio(names.map((name) => ({ path: `usr/lib/modules/${kernel}/kernel/drivers/${name}`, content: 'ELF' }))))

const dropAll = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
COMMIT
`
const acceptSsh = dropAll.replace('COMMIT', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT')

const persistent = (rules: string): Changes => ({
  '/usr/sbin/netfilter-persistent': { content: '#!/bin/sh\n', mode: 0o755 },
  '/usr/lib/systemd/system/netfilter-persistent.service':
    '[Unit]\nDescription=netfilter persistent configuration\n[Install]\nWantedBy=multi-user.target\n',
  '/etc/systemd/system/multi-user.target.wants/netfilter-persistent.service': {
    link: '/usr/lib/systemd/system/netfilter-persistent.service',
  },
  '/etc/iptables/rules.v4': rules,
})

const interfaces = (eth0: string, more = ''): Changes => ({
  '/etc/network/interfaces': `auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet ${eth0}\n${more}`,
})

const menu = (entries: string): Changes => ({
  '/boot/grub/grub.cfg': undefined,
  '/boot/grub/stage2': 'stage2',
  '/boot/grub/menu.lst': `default 0\ntimeout 5\n\n${entries}`,
})

const units = ['cloud-init', 'cloud-init-local', 'cloud-config', 'cloud-final'].map((name) => `${name}.service`)
const unitFolder = '/usr/lib/systemd/system'
const withoutCloudInit = async (): Promise<Changes> => ({
  [dpkgStatus]: await dpkgWith(await smallDebianTree(), 'cloud-init', () => undefined),
  '/usr/bin/cloud-init': undefined,
  ...Object.fromEntries(units.map((name) => [`${unitFolder}/${name}`, undefined])),
  '/usr/lib/systemd/system-generators/cloud-init-generator': undefined,
})

/** The faults that a change of the good Debian image makes, by the name of the image. */
export const linuxFaults: Readonly<Record<string, Fault>> = {
  'errors-on-file-system': { requirement: 'L-01', commands: ['clri /etc/hostname'] },
  'journal-to-replay': { requirement: 'L-01', commands: ['feature needs_recovery'] },
  'no-release-files': {
    requirement: 'L-03',
    changes: () => ({
      '/usr/lib/os-release': undefined,
      '/etc/os-release': undefined,
      '/etc/debian_version': undefined,
    }),
  },
  'issue-of-another': { requirement: 'L-03', changes: () => ({ '/etc/issue': 'Ubuntu 20.04 LTS \\n \\l\n' }) },
  'grub-legacy': {
    requirement: 'L-04',
    changes: (kernel) =>
      menu(
        `title Debian\nroot (hd0,0)\nkernel /boot/vmlinuz-${kernel} root=UUID=${rootUuid} ro\ninitrd /boot/initrd.img-${kernel}\n`,
      ),
  },
  'grub-legacy-without-entry': { requirement: 'L-04', changes: () => menu('# title Debian\n') },
  'no-fstab': { requirement: 'L-05', changes: () => ({ '/etc/fstab': undefined }) },
  'fstab-of-another-disk': {
    requirement: 'L-05',
    changes: () => ({
      '/etc/fstab': `${rootLine}UUID=7c9d3f10-5e24-4b8a-9f61-2d3c4b5a6978 none swap sw 0 0\n`,
    }),
  },
  'fstab-by-kernel-name': {
    requirement: 'L-05',
    changes: () => ({ '/etc/fstab': '/dev/sda1 / ext4 errors=remount-ro 0 1\n' }),
  },
  'shadow-immutable': { requirement: 'L-06', changes: () => ({ '/etc/shadow': { attribute: 'i' } }) },
  'shadow-append-only': { requirement: 'L-06', changes: () => ({ '/etc/shadow': { attribute: 'a' } }) },
  'selinux-enforcing': {
    requirement: 'L-07',
    changes: (kernel) => ({
      '/etc/selinux/config': 'SELINUX=enforcing\nSELINUXTYPE=default\n',
      '/boot/grub/grub.cfg': grubConfig(kernel, `UUID=${rootUuid}`, '/boot', 'ro quiet selinux=1 security=selinux'),
    }),
  },
  'selinux-not-activated': {
    requirement: 'L-07',
    changes: () => ({ '/etc/selinux/config': 'SELINUX=enforcing\nSELINUXTYPE=default\n' }),
  },
  'system-files-changed': {
    requirement: 'L-02',
    changes: () => ({ '/usr/bin/ls': { content: '\x7fELF changed', mode: 0o755 }, '/usr/sbin/sshd.ucf-dist': 'added' }),
  },
  'little-room': {
    requirement: 'L-08',
    changes: () => ({ '/filler': '' }),
    commands: ['fallocate /filler 0 25000'],
  },
  'firewall-accepting-ssh': { requirement: 'L-09', changes: () => persistent(acceptSsh) },
  'firewall-dropping-all': { requirement: 'L-09', changes: () => persistent(dropAll) },
  'ssh-elsewhere': {
    requirement: 'L-10',
    changes: () => ({ '/etc/ssh/sshd_config.d/port.conf': 'Port 2222\n' }),
  },
  'ssh-not-started': {
    requirement: 'L-10',
    changes: () => ({
      '/etc/systemd/system/multi-user.target.wants/ssh.service': undefined,
      '/etc/systemd/system/sshd.service': undefined,
    }),
  },
  'static-address': {
    requirement: 'L-11',
    changes: () => interfaces('static\n  address 192.0.2.10/24\n  gateway 192.0.2.1'),
  },
  'no-drivers': {
    requirement: 'L-12',
    changes: (kernel) => ({ [`/boot/initrd.img-${kernel}`]: archive(kernel, ['ata/ata_piix.ko']) }),
  },
  'xen-alone': {
    requirement: 'L-12',
    changes: (kernel) => ({ [`/boot/initrd.img-${kernel}`]: archive(kernel, ['block/xen-blkfront.ko']) }),
  },
  'no-cloud-init': { requirement: 'L-13', changes: withoutCloudInit },
  'old-cloud-init': {
    requirement: 'L-13',
    changes: async () => ({
      [dpkgStatus]: await dpkgWith(await smallDebianTree(), 'cloud-init', (stanza) =>
        stanza.replace(/^Version: .*$/m, 'Version: 0.7.9-2'),
      ),
    }),
  },
  'empty-password': { requirement: 'L-14', changes: () => ({ '/etc/shadow': shadow('') }) },
  'locked-password': { requirement: 'L-14', changes: () => ({ '/etc/shadow': shadow('!') }) },
  'two-interfaces': {
    requirement: 'L-15',
    changes: () => interfaces('dhcp', '\nauto eth1\niface eth1 inet static\n  address 192.0.2.20/24\n'),
  },
  'ipv6-address': {
    requirement: 'L-16',
    changes: () => interfaces('dhcp', '\niface eth0 inet6 static\n  address 2001:db8::10/64\n'),
  },
  'guest-agent': {
    requirement: 'L-18',
    changes: () => ({ '/usr/sbin/qemu-ga': { content: '\x7fELF', mode: 0o755 } }),
  },
  'debian-11': {
    requirement: 'L-23',
    changes: () => ({
      '/usr/lib/os-release': 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nVERSION_ID="11"\nID=debian\n',
      '/etc/debian_version': '11.6\n',
    }),
  },
  'a-derivative': {
    requirement: 'L-23',
    changes: () => ({
      '/usr/lib/os-release': 'PRETTY_NAME="Kali GNU/Linux Rolling"\nVERSION_ID="2020.4"\nID=kali\nID_LIKE=debian\n',
      '/etc/debian_version': 'kali-rolling\n',
      '/etc/issue': 'Kali GNU/Linux Rolling \\n \\l\n',
    }),
  },
}
