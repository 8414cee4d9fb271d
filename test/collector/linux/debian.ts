import { initramfs, program, rootUuid, type Tree } from './support.ts'

const release = '4.19.0-13-amd64'

const grubCfg = `
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="0"
fi
if [ x"\${feature_menuentry_id}" = xy ]; then
  menuentry_id_option="--id"
else
  menuentry_id_option=""
fi
function savedefault {
  if [ -z "\${boot_once}" ]; then
    saved_entry="\${chosen}"
    save_env saved_entry
  fi
}
### BEGIN /etc/grub.d/10_linux ###
menuentry 'Debian GNU/Linux' --class debian --class gnu $menuentry_id_option 'gnulinux-simple-${rootUuid}' {
	load_video
	insmod gzio
	if [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
	set root='hd0,msdos1'
	echo	'Loading Linux ${release} ...'
	linux	/boot/vmlinuz-${release} root=UUID=${rootUuid} ro  quiet
	initrd	/boot/initrd.img-${release}
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-${rootUuid}' {
	menuentry 'Debian GNU/Linux, with Linux ${release} (recovery mode)' $menuentry_id_option 'recovery' {
		linux	/boot/vmlinuz-${release} root=UUID=${rootUuid} ro single selinux=1
		initrd	/boot/initrd.img-${release}
	}
	menuentry 'Debian GNU/Linux, with Linux 4.19.0-5-amd64' $menuentry_id_option 'old' {
		linux	/boot/vmlinuz-4.19.0-5-amd64 root=UUID=${rootUuid} ro
	}
}
`

const status = `Package: base-files
Status: install ok installed
Architecture: amd64
Version: 10.3+deb10u7
Conffiles:
 /etc/issue 35b1a0f6a1b5b7ad9ad8e4d2c5d0a0c1

Package: cloud-init
Status: install ok installed
Architecture: all
Version: 20.2-2~deb10u1

Package: coreutils
Status: install ok installed
Architecture: amd64
Version: 8.30-3
Conffiles:
 /bin/configured 00000000000000000000000000000000

Package: qemu-guest-agent
Status: deinstall ok config-files
Architecture: amd64
Version: 1:3.1+dfsg-8+deb10u8

Package: openssh-server
Status: install ok installed
Architecture: amd64
Version: 1:7.9p1-10+deb10u2
`

/** Debian 10 as its installer and a cloud's packages leave it; ready but for what only the image tells. */
export const debian10: Tree = {
  '/etc/os-release': { link: '../usr/lib/os-release' },
  '/usr/lib/os-release':
    'PRETTY_NAME="Debian GNU/Linux 10 (buster)"\nNAME="Debian GNU/Linux"\nVERSION_ID="10"\nID=debian\n',
  '/etc/debian_version': '10.7\n',
  '/etc/issue': 'Debian GNU/Linux 10 \\n \\l\n\n',
  '/etc/fstab': `# <file system> <mount point>   <type>  <options>       <dump>  <pass>
UUID=${rootUuid} /               ext4    errors=remount-ro 0       1
/dev/sr0        /media/cdrom0   udf,iso9660 user,noauto     0       0
/swapfile none swap sw 0 0
tmpfs /tmp tmpfs defaults 0 0
`,
  '/swapfile': '',
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n',
  '/etc/shadow': 'root:*:18600:0:99999:7:::\ndaemon:*:18600:0:99999:7:::\n',
  '/etc/machine-id': '0123456789abcdef0123456789abcdef\n',
  '/bin': { link: 'usr/bin' },
  '/sbin': { link: 'usr/sbin' },
  '/lib': { link: 'usr/lib' },
  '/usr/bin/true': program,
  '/usr/bin/ls': 'the packaged ls',
  '/usr/bin/configured': 'a file that people change',
  '/usr/bin/cloud-init': '#!/usr/bin/python3\n',
  '/usr/sbin/init': { link: '../lib/systemd/systemd' },
  '/usr/lib/systemd/systemd': program,
  '/usr/sbin/sshd': program,
  '/usr/sbin/ifup': program,
  '/usr/sbin/iptables': program,
  '/usr/sbin/nft': program,
  '/usr/lib/systemd/system/ssh.service':
    '[Service]\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS\n[Install]\nWantedBy=multi-user.target\nAlias=sshd.service\n',
  '/usr/lib/systemd/system/ssh.socket': '[Socket]\nListenStream=22\nAccept=yes\n[Install]\nWantedBy=sockets.target\n',
  '/usr/lib/systemd/system/networking.service': '[Install]\nWantedBy=multi-user.target\n',
  '/usr/lib/systemd/system/nftables.service': '[Install]\nWantedBy=sysinit.target\n',
  '/usr/lib/systemd/system/cloud-init.service': '[Install]\nWantedBy=cloud-init.target\n',
  '/usr/lib/systemd/system/systemd-networkd.service': '[Install]\nWantedBy=multi-user.target\n',
  '/etc/systemd/system/sshd.service': { link: '/lib/systemd/system/ssh.service' },
  '/etc/systemd/system/multi-user.target.wants/ssh.service': { link: '/lib/systemd/system/ssh.service' },
  '/etc/systemd/system/multi-user.target.wants/networking.service': { link: '/lib/systemd/system/networking.service' },
  '/etc/systemd/system/cloud-init.target.wants/cloud-init.service': { link: '/lib/systemd/system/cloud-init.service' },
  '/etc/nftables.conf': `#!/usr/sbin/nft -f

flush ruleset

table inet filter {
	chain input {
		type filter hook input priority 0;
	}
}
`,
  '/etc/ssh/sshd_config': '#Port 22\n#ListenAddress 0.0.0.0\nPermitRootLogin no\nUsePAM yes\n',
  '/etc/network/interfaces': `source /etc/network/interfaces.d/*

# The loopback network interface
auto lo
iface lo inet loopback

allow-hotplug eth0
iface eth0 inet dhcp
`,
  '/etc/network/interfaces.d': null,
  '/etc/cloud/cloud.cfg': 'users:\n  - default\ndisable_root: true\n',
  '/etc/cloud/cloud.cfg.d/05_logging.cfg': 'output: {all: "| tee -a /var/log/cloud-init-output.log"}\n',
  '/boot/grub/grub.cfg': grubCfg,
  '/boot/grub/grubenv': '# GRUB Environment Block\n####################\n',
  '/boot/grub/i386-pc/core.img': 'core',
  [`/boot/vmlinuz-${release}`]: 'kernel',
  [`/boot/config-${release}`]:
    'CONFIG_VIRTIO=m\nCONFIG_VIRTIO_BLK=m\nCONFIG_VIRTIO_PCI=m\nCONFIG_VIRTIO_NET=m\nCONFIG_XEN_BLKDEV_FRONTEND=m\nCONFIG_XEN_NETDEV_FRONTEND=m\n',
  [`/boot/initrd.img-${release}`]: initramfs(release, [
    'block/virtio_blk.ko',
    'virtio/virtio_pci.ko',
    'virtio/virtio.ko',
    'block/xen-blkfront.ko',
  ]),
  [`/usr/lib/modules/${release}/modules.builtin`]: 'kernel/fs/binfmt_script.ko\n',
  [`/usr/lib/modules/${release}/modules.dep`]: [
    'kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio.ko',
    'kernel/drivers/block/xen-blkfront.ko:',
    'kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko',
    'kernel/drivers/net/xen-netfront.ko:',
    'kernel/drivers/virtio/virtio_pci.ko: kernel/drivers/virtio/virtio.ko',
    '',
  ].join('\n'),
  '/var/lib/dpkg/status': status,
  '/var/lib/dpkg/info/coreutils.md5sums': '', // Filled in where system files are compared.
}

/** The release of Debian's default kernel. */
export const debianKernel = release
