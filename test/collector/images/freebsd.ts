import type { Changes } from './changes.ts'
import { hashCanary } from './debian10.ts'

/** A FreeBSD system as far as any rule looks at it: its files, without any program of it. */
export function freebsd(): Changes {
  return {
    '/bin/freebsd-version': {
      content: '#!/bin/sh\nUSERLAND_VERSION="12.2-RELEASE-p1"\necho $USERLAND_VERSION\n',
      mode: 0o555,
    },
    '/boot/kernel/kernel': { content: '\x7fELF FreeBSD 12.2-RELEASE-p1 GENERIC virtio_blk virtio_pci', mode: 0o555 },
    '/boot/kernel/virtio.ko': { content: 'ELF', mode: 0o555 },
    '/boot/kernel/virtio_pci.ko': { content: 'ELF', mode: 0o555 },
    '/boot/kernel/virtio_blk.ko': { content: 'ELF', mode: 0o555 },
    '/boot/kernel/if_vtnet.ko': { content: 'ELF', mode: 0o555 },
    '/boot/loader': { content: 'loader', mode: 0o555 },
    '/boot/defaults/loader.conf': 'kernel="kernel"\n',
    '/boot/loader.conf': 'virtio_load="YES"\nvirtio_pci_load="YES"\nvirtio_blk_load="YES"\nif_vtnet_load="YES"\n',
    '/etc/os-release':
      'NAME=FreeBSD\nVERSION=12.2-RELEASE-p1\nVERSION_ID=12.2\nID=freebsd\nPRETTY_NAME="FreeBSD 12.2-RELEASE-p1"\n',
    '/etc/rc.conf': 'hostname="freebsd"\nifconfig_vtnet0="DHCP"\nsshd_enable="YES"\ncloudinit_enable="YES"\n',
    '/etc/defaults/rc.conf': 'rc_conf_files="/etc/rc.conf /etc/rc.conf.local"\nfirewall_enable="NO"\npf_enable="NO"\n',
    '/etc/rc.d/sshd': { content: '#!/bin/sh\n', mode: 0o555 },
    '/etc/fstab': '# Device Mountpoint FStype Options Dump Pass#\n/dev/gpt/rootfs / ufs rw 1 1\n',
    '/etc/master.passwd': { content: `root:${hashCanary}:0:0::0:0:Charlie &:/root:/bin/csh\n`, mode: 0o600 },
    '/etc/passwd': 'root:*:0:0:Charlie &:/root:/bin/csh\n',
    '/etc/ssh/sshd_config': 'PermitRootLogin yes\n',
    '/usr/sbin/sshd': { content: 'ELF', mode: 0o555 },
    '/usr/local/bin/cloud-init': { content: '#!/usr/local/bin/python3.7\n', mode: 0o755 },
    '/usr/local/etc/rc.d/cloudinit': { content: '#!/bin/sh\n', mode: 0o555 },
    '/usr/local/etc/cloud/cloud.cfg': 'users:\n - default\n',
    '/dev': { directory: true },
    '/tmp': { directory: true },
    '/var': { directory: true },
  }
}
