import { initramfs, program, rootUuid, type Tree } from './support.ts'

const focal = '5.4.0-58-generic'

/** Ubuntu 20.04 as a cloud image: netplan, cloud-init, ufw installed and off, sshd behind a socket with a drop-in. */
export const ubuntu2004: Tree = {
  '/bin': { link: 'usr/bin' },
  '/sbin': { link: 'usr/sbin' },
  '/lib': { link: 'usr/lib' },
  '/usr/bin/true': program,
  '/usr/bin/cloud-init': '#!/usr/bin/python3\n',
  '/usr/sbin/init': { link: '/lib/systemd/systemd' },
  '/usr/lib/systemd/systemd': program,
  '/usr/sbin/sshd': program,
  '/usr/sbin/netplan': '#!/usr/bin/python3\n',
  '/usr/sbin/ufw': '#!/usr/bin/python3\n',
  '/etc/os-release':
    'NAME="Ubuntu"\nVERSION="20.04.1 LTS (Focal Fossa)"\nID=ubuntu\nID_LIKE=debian\nPRETTY_NAME="Ubuntu 20.04.1 LTS"\nVERSION_ID="20.04"\n',
  '/etc/lsb-release': 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=20.04\nDISTRIB_DESCRIPTION="Ubuntu 20.04.1 LTS"\n',
  '/etc/debian_version': 'bullseye/sid\n',
  '/etc/issue': 'Ubuntu 20.04.1 LTS \\n \\l\n\n',
  '/etc/fstab': 'LABEL=cloudimg-rootfs\t/\t ext4\tdefaults\t0 0\nLABEL=UEFI\t/boot/efi\tvfat\tdefaults\t0 0\n',
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
  '/etc/shadow': 'root:*:18600:0:99999:7:::\n',
  '/etc/machine-id': '',
  '/usr/lib/systemd/system/ssh.service': '[Install]\nWantedBy=multi-user.target\n',
  '/usr/lib/systemd/system/ssh.socket': '[Socket]\nListenStream=22\nAccept=yes\n[Install]\nWantedBy=sockets.target\n',
  '/etc/systemd/system/ssh.socket.d/port.conf':
    '[Socket]\nListenStream=\nListenStream=2022\nListenStream=127.0.0.1:22\n',
  '/etc/systemd/system/sockets.target.wants/ssh.socket': { link: '/lib/systemd/system/ssh.socket' },
  '/usr/lib/systemd/system/ufw.service': '[Install]\nWantedBy=multi-user.target\n',
  '/etc/systemd/system/multi-user.target.wants/ufw.service': { link: '/lib/systemd/system/ufw.service' },
  '/etc/ufw/ufw.conf': '# Set to yes to start on boot.\nENABLED=no\nLOGLEVEL=low\n',
  '/usr/lib/systemd/system/cloud-init.service': '[Install]\nWantedBy=cloud-init.target\n',
  '/etc/systemd/system/cloud-init.target.wants/cloud-init.service': { link: '/lib/systemd/system/cloud-init.service' },
  '/usr/lib/systemd/system/systemd-networkd.service': '[Install]\nWantedBy=multi-user.target\n',
  '/etc/systemd/system/multi-user.target.wants/systemd-networkd.service': {
    link: '/lib/systemd/system/systemd-networkd.service',
  },
  '/usr/lib/systemd/network/80-container-host0.network':
    '[Match]\nVirtualization=container\nName=host0\n[Network]\nDHCP=yes\n',
  '/etc/netplan/50-cloud-init.yaml': `# This file is generated from information provided by the datasource.
network:
    ethernets:
        ens3:
            dhcp4: true
            match:
                macaddress: 52:54:00:12:34:56
            set-name: ens3
    version: 2
`,
  '/etc/cloud/cloud.cfg': 'users:\n   - default\n',
  '/var/lib/dpkg/status':
    'Package: cloud-init\nStatus: install ok installed\nArchitecture: all\nVersion: 20.3-2-g371b392c-0ubuntu1~20.04.1\n\nPackage: qemu-guest-agent\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:4.2-3ubuntu6.10\n',
  '/boot/grub/grub.cfg': `set default="0"
menuentry 'Ubuntu' --class ubuntu $menuentry_id_option 'gnulinux-simple' {
	linux	/boot/vmlinuz-${focal} root=LABEL=cloudimg-rootfs ro  console=tty1 console=ttyS0
	initrd	/boot/initrd.img-${focal}
}
`,
  '/boot/grub/i386-pc/core.img': '',
  [`/boot/vmlinuz-${focal}`]: 'kernel',
  [`/boot/config-${focal}`]:
    'CONFIG_VIRTIO_BLK=y\nCONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_NET=y\nCONFIG_XEN_BLKDEV_FRONTEND=y\nCONFIG_XEN_NETDEV_FRONTEND=y\n',
  [`/boot/initrd.img-${focal}`]: initramfs(focal, []),
  [`/usr/lib/modules/${focal}/modules.dep`]: '',
}

/** Ubuntu 14.04: Upstart, whose own directory of systemd units means nothing. */
export const ubuntu1404: Tree = {
  '/bin/true': program,
  '/sbin/init': program,
  '/sbin/ifup': program,
  '/usr/sbin/sshd': program,
  '/usr/sbin/ufw': '#!/usr/bin/python3\n',
  '/lib/systemd/systemd-logind': program,
  '/lib/systemd/system/ssh.service': '[Install]\nWantedBy=multi-user.target\n',
  '/etc/lsb-release': 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_DESCRIPTION="Ubuntu 14.04.6 LTS"\n',
  '/etc/debian_version': 'jessie/sid\n',
  '/etc/issue': 'Ubuntu 14.04.6 LTS \\n \\l\n\n',
  '/etc/fstab': `UUID=${rootUuid} / ext4 errors=remount-ro 0 1\n`,
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
  '/etc/shadow': 'root:!:18600:0:99999:7:::\n',
  '/etc/init/rc-sysinit.conf': 'start on startup\nenv DEFAULT_RUNLEVEL=2\n',
  '/etc/init/ssh.conf': 'description "OpenSSH server"\nstart on runlevel [2345]\nstop on runlevel [!2345]\n',
  '/etc/init/networking.conf': 'start on (local-filesystems and stopped udevtrigger)\n',
  '/etc/init/ufw.conf': 'start on (starting network-interface or starting networking)\n',
  '/etc/init/ufw.override': 'manual\n',
  '/etc/ufw/ufw.conf': 'ENABLED=yes\n',
  '/etc/network/interfaces': 'auto lo\niface lo inet loopback\nsource-directory interfaces.d\n',
  '/etc/network/interfaces.d/eth0':
    'auto eth0 eth1\niface eth0 inet dhcp\niface eth1 inet static\n  address 192.0.2.9\n  netmask 255.255.255.0\n',
  '/etc/network/interfaces.d/ignored.txt': 'auto eth7\niface eth7 inet dhcp\n',
}

/** The vendor's /usr of CoreOS Container Linux. */
export const coreosUsr: Tree = {
  '/lib/os-release':
    'NAME="Container Linux by CoreOS"\nID=coreos\nVERSION=2512.3.0\nVERSION_ID=2512.3.0\nPRETTY_NAME="Container Linux by CoreOS 2512.3.0 (Oklo)"\n',
  '/bin/true': program,
  '/bin/ignition': program,
  '/bin/coreos-cloudinit': program,
  '/sbin/sshd': program,
  '/sbin/iptables': program,
  '/sbin/ip6tables': program,
  '/sbin/init': { link: '../lib/systemd/systemd' },
  '/lib/systemd/systemd': program,
  '/lib/systemd/system/sshd.socket': '[Socket]\nListenStream=22\nAccept=yes\n',
  '/lib/systemd/system/sshd@.service': '[Service]\nExecStart=-/usr/sbin/sshd -i\n',
  '/lib/systemd/system/sockets.target.wants/sshd.socket': { link: '../sshd.socket' },
  '/lib/systemd/system/systemd-networkd.service': '[Install]\nWantedBy=multi-user.target\n',
  '/lib/systemd/system/multi-user.target.wants/systemd-networkd.service': { link: '../systemd-networkd.service' },
  '/lib/systemd/network/50-docker.network': '[Match]\nName=docker* veth*\n[Link]\nUnmanaged=yes\n',
  '/lib/systemd/network/zz-default.network': '[Network]\nDHCP=yes\n[DHCP]\nUseMTU=true\nUseDomains=true\n',
  '/lib/selinux/config': 'SELINUX=permissive\nSELINUXTYPE=mcs\n',
  '/lib/modules/4.19.124-coreos/modules.dep': 'kernel/drivers/block/virtio_blk.ko:\n',
  '/lib/modules/4.19.124-coreos/modules.builtin':
    'kernel/drivers/virtio/virtio_pci.ko\nkernel/drivers/net/virtio_net.ko\nkernel/drivers/block/xen-blkfront.ko\nkernel/drivers/net/xen-netfront.ko\n',
  '/share/baselayout/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
  '/share/baselayout/shadow': 'root:*:15887:0:::::\n',
  '/share/ssh/sshd_config': 'UsePrivilegeSeparation sandbox\n',
}

/** The EFI system partition of CoreOS Container Linux, mounted at /boot. */
export const coreosBoot: Tree = {
  '/coreos/vmlinuz-a': 'kernel',
  '/coreos/grub/i386-pc/core.img': '',
  '/coreos/grub/grub.cfg': `set default="coreos"
set linux_append=""
if [ "$grub_platform" = "efi" ]; then
    set suf="efi"
fi
menuentry "CoreOS default" --id=coreos --unrestricted {
    gptprio.next -d usr -u usr_uuid
    linux$suf /coreos/vmlinuz-a mount.usr=PARTUUID=$usr_uuid $linux_append
}
`,
}

/** FreeBSD 12.2 on UFS. */
export const freebsd12: Tree = {
  '/bin/freebsd-version': '#!/bin/sh\nset -e\nUSERLAND_VERSION="12.2-RELEASE-p1"\n',
  '/bin/true': program,
  '/bin/sh': program,
  '/usr/sbin/sshd': program,
  '/usr/local/bin/cloud-init': '#!/usr/local/bin/python3.7\n',
  '/usr/local/lib/python3.7/site-packages/cloud_init-20.3-py3.7.egg-info/PKG-INFO': '',
  '/etc/fstab':
    '# Device\tMountpoint\tFStype\tOptions\tDump\tPass#\n/dev/gpt/rootfs\t/\tufs\trw\t1\t1\n/dev/gpt/swapfs\tnone\tswap\tsw\t0\t0\n',
  '/etc/passwd': 'root:*:0:0:Charlie &:/root:/bin/csh\n',
  '/etc/master.passwd': 'root::0:0::0:0:Charlie &:/root:/bin/csh\n',
  '/etc/defaults/rc.conf':
    'sshd_enable="NO"\npf_enable="NO"\nfirewall_enable="NO"\nifconfig_lo0="inet 127.0.0.1 netmask 255.0.0.0"\n',
  '/etc/rc.conf':
    'hostname="freebsd"\nifconfig_vtnet0="SYNCDHCP"\nifconfig_vtnet0_ipv6="inet6 accept_rtadv"\nsshd_enable="YES"\n',
  '/etc/ssh/sshd_config': '#Port 22\n',
  '/boot/loader': program,
  '/boot/loader.conf': 'virtio_load="YES"\nif_vtnet_load="YES"\n',
  '/boot/kernel/kernel': Buffer.from(
    '\x7fELF @(#)FreeBSD 12.2-RELEASE r366954 GENERIC\0pci/virtio_pci\0virtio_pci/virtio_blk\0xenbusb_front/xbd\0',
  ),
  '/boot/kernel/if_vtnet.ko': program,
}
