import { initramfs, program, rootUuid, type Tree } from './support.ts'

const leap = '5.3.18-lp152.57-default'
const twelve = '4.12.14-120-default'

const systemd: Tree = {
  '/bin/true': program,
  '/sbin/init': { link: '../usr/lib/systemd/systemd' },
  '/usr/lib/systemd/systemd': program,
  '/usr/sbin/sshd': program,
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
  '/etc/shadow': 'root::18600::::::\n',
  '/etc/machine-id': '0123456789abcdef0123456789abcdef\n',
  '/usr/lib/systemd/system/sshd.service': '[Install]\nWantedBy=multi-user.target\n',
  '/usr/lib/systemd/system/wicked.service': '[Install]\nWantedBy=multi-user.target\nAlias=network.service\n',
  '/etc/systemd/system/multi-user.target.wants/sshd.service': { link: '/usr/lib/systemd/system/sshd.service' },
  '/etc/systemd/system/multi-user.target.wants/wicked.service': { link: '/usr/lib/systemd/system/wicked.service' },
  '/etc/systemd/system/network.service': { link: '/usr/lib/systemd/system/wicked.service' },
  '/etc/sysconfig/network/config': 'AUTO6_WAIT_AT_BOOT=""\n',
  '/etc/sysconfig/network/ifcfg-lo': "STARTMODE='nfsroot'\nBOOTPROTO='static'\nIPADDR='127.0.0.1/8'\n",
  '/etc/sysconfig/network/ifcfg-eth0.bak': "BOOTPROTO='static'\nSTARTMODE='auto'\n",
  '/etc/wicked/ifconfig/README': '',
  '/etc/ssh/sshd_config': 'AuthorizedKeysFile .ssh/authorized_keys\n',
  '/boot/grub2/i386-pc/core.img': '',
}

function kernel(release: string, name: string): Tree {
  return {
    [`/boot/vmlinuz-${release}`]: 'kernel',
    '/boot/vmlinuz': { link: `vmlinuz-${release}` },
    [`/boot/config-${release}`]:
      'CONFIG_VIRTIO_BLK=m\nCONFIG_VIRTIO_PCI=m\nCONFIG_VIRTIO_NET=m\nCONFIG_XEN_BLKDEV_FRONTEND=m\nCONFIG_XEN_NETDEV_FRONTEND=m\n',
    [`/boot/initrd-${release}`]: initramfs(release, ['block/virtio_blk.ko', 'virtio/virtio_pci.ko']),
    [`/lib/modules/${release}/modules.dep`]:
      'kernel/drivers/net/virtio_net.ko:\nkernel/drivers/block/virtio_blk.ko:\nkernel/drivers/virtio/virtio_pci.ko:\n',
    '/boot/grub2/grub.cfg': `set default="\${saved_entry}"
menuentry '${name}'  --class opensuse $menuentry_id_option 'gnulinux-simple-${rootUuid}' {
	linux	/boot/vmlinuz-${release} root=UUID=${rootUuid}  splash=silent security=apparmor
	initrd	/boot/initrd-${release}
}
`,
    '/boot/grub2/grubenv': 'saved_entry=\n',
  }
}

/** openSUSE Leap 15.2: wicked, firewalld not enabled, a root whose password is empty. */
export const opensuse15: Tree = {
  ...systemd,
  ...kernel(leap, 'openSUSE Leap 15.2'),
  '/etc/os-release': { link: '../usr/lib/os-release' },
  '/usr/lib/os-release':
    'NAME="openSUSE Leap"\nVERSION="15.2"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.2"\nPRETTY_NAME="openSUSE Leap 15.2"\n',
  '/etc/issue': { link: '../run/issue' },
  '/etc/fstab': `UUID=${rootUuid}  /  xfs  defaults  0  0\n`,
  '/etc/sysconfig/network/ifcfg-eth0': "BOOTPROTO='dhcp'\nSTARTMODE='auto'\nZONE=public\n",
  '/usr/sbin/firewalld': program,
  '/usr/lib/systemd/system/firewalld.service': '[Install]\nWantedBy=multi-user.target\n',
}

/** SLES 12 SP4: SuSEfirewall2 on, a static address with one of IPv6, sshd on another port. */
export const sles12: Tree = {
  ...systemd,
  ...kernel(twelve, 'SLES 12-SP4'),
  '/etc/os-release':
    'NAME="SLES_SAP"\nVERSION="12-SP4"\nVERSION_ID="12.4"\nPRETTY_NAME="SUSE Linux Enterprise Server for SAP Applications 12 SP4"\nID="sles_sap"\n',
  '/etc/SuSE-release': 'SUSE Linux Enterprise Server 12 (x86_64)\nVERSION = 12\nPATCHLEVEL = 4\n',
  '/etc/issue':
    '\nWelcome to SUSE Linux Enterprise Server for SAP Applications 12 SP4  (x86_64) - Kernel \\r (\\l).\n\n',
  '/etc/fstab': `/dev/disk/by-uuid/${rootUuid} / ext4 acl,user_xattr 1 1\n/dev/disk/by-id/ata-QEMU_HARDDISK-part2 swap swap defaults 0 0\n`,
  '/etc/sysconfig/network/ifcfg-eth0':
    "BOOTPROTO='static'\nIPADDR='192.0.2.5/24'\nIPADDR_1='2001:db8:1::5/64'\nIPADDR_2='fe80::5/64'\nSTARTMODE='auto'\n",
  '/etc/sysconfig/network/ifcfg-eth1': "BOOTPROTO='dhcp'\nSTARTMODE='manual'\n",
  '/etc/sysconfig/network/routes': 'default 192.0.2.1 - -\n',
  '/sbin/SuSEfirewall2': program,
  '/usr/lib/systemd/system/SuSEfirewall2.service': '[Install]\nWantedBy=multi-user.target\n',
  '/usr/lib/systemd/system/SuSEfirewall2_init.service': '[Install]\nWantedBy=basic.target\n',
  '/etc/systemd/system/multi-user.target.wants/SuSEfirewall2.service': {
    link: '/usr/lib/systemd/system/SuSEfirewall2.service',
  },
  '/etc/ssh/sshd_config': 'Port 2222\nListenAddress 127.0.0.1\nListenAddress [::1]:22\nMatch User root\n  Port 22\n',
}
