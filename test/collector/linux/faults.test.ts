import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { debian10, debianKernel } from './debian.ts'
import { changes, collect, cpio, type Extras, rootUuid, type Tree } from './support.ts'

type Change = Readonly<Record<string, Tree[string] | undefined>>

/** The good tree with files put in, changed, or (undefined) taken out. */
function changed(change: Change): Tree {
  const entries = Object.entries({ ...debian10, ...change })
  return Object.fromEntries(
    entries.flatMap(([path, content]) => (content === undefined ? [] : [[path, content] as const])),
  )
}

const kernelRoot = `UUID=${rootUuid} / ext4 defaults 0 1\n`
const grub = String(debian10['/boot/grub/grub.cfg'])
const wants = '/etc/systemd/system/multi-user.target.wants'
const unit = (name: string) => ({ link: `/lib/systemd/system/${name}` })
const enabled = (name: string) => ({
  [`${wants}/${name}`]: unit(name),
  [`/usr/lib/systemd/system/${name}`]: '[Install]\nWantedBy=multi-user.target\n',
})

/** Each requirement's fault by itself, and exactly the facts that it changes. Undefined: the fact is gone. */
const faults: readonly (readonly [name: string, change: Change, facts: Record<string, unknown>, extras?: Extras])[] = [
  [
    'L-03 a banner of another distribution',
    { '/etc/issue': 'CentOS release 6.10 (Final)\n' },
    { '/files/issue/names': 'other' },
  ],
  ['L-03 a legal banner', { '/etc/issue': 'Authorised use only.\n' }, { '/files/issue/names': 'none' }],
  [
    'L-03 no banner',
    { '/etc/issue': undefined },
    { '/files/issue/kind': 'missing', '/files/issue/names': undefined, '/files/issue/usesEscapes': undefined },
  ],
  [
    'L-03 release files that name nothing',
    { '/usr/lib/os-release': 'NAME=Something\n', '/etc/debian_version': 'made up\n' },
    {
      '/files/issue/names': undefined,
      '/files/releaseFiles/0/namesDistribution': false,
      '/files/releaseFiles/1/namesDistribution': false,
      '/files/releaseFiles/2/namesDistribution': false,
      '/os/id': undefined,
      '/os/name': undefined,
      '/os/version': undefined,
    },
  ],
  [
    'L-05 an unknown UUID',
    {
      '/etc/fstab': `${kernelRoot}UUID=11111111-2222-3333-4444-555555555555 /data ext4 defaults 0 2\n/dev/sr0 /media/cdrom0 udf,iso9660 noauto 0 0\n/swapfile none swap sw 0 0\ntmpfs /tmp tmpfs defaults 0 0\n`,
    },
    {
      '/files/fstab/entries/1/source': 'UUID=11111111-2222-3333-4444-555555555555',
      '/files/fstab/entries/1/sourceKind': 'uuid',
      '/files/fstab/entries/1/mountPoint': '/data',
      '/files/fstab/entries/1/fileSystem': 'ext4',
      '/files/fstab/entries/1/mountedAtBoot': true,
      '/files/fstab/entries/1/resolves': false,
      '/files/fstab/entries/2/source': '/dev/sr0',
      '/files/fstab/entries/2/sourceKind': 'removable',
      '/files/fstab/entries/2/mountPoint': '/media/cdrom0',
      '/files/fstab/entries/2/fileSystem': 'udf,iso9660',
      '/files/fstab/entries/2/mountedAtBoot': false,
      '/files/fstab/entries/2/resolves': undefined,
      '/files/fstab/entries/3/source': '/swapfile',
      '/files/fstab/entries/3/sourceKind': 'file-path',
      '/files/fstab/entries/3/mountPoint': 'none',
      '/files/fstab/entries/3/fileSystem': 'swap',
      '/files/fstab/entries/3/resolves': true,
      '/files/fstab/entries/4/source': 'tmpfs',
      '/files/fstab/entries/4/sourceKind': 'pseudo',
      '/files/fstab/entries/4/mountPoint': '/tmp',
      '/files/fstab/entries/4/fileSystem': 'tmpfs',
      '/files/fstab/entries/4/mountedAtBoot': true,
      '/files/fstab/entries/4/noFail': false,
    },
  ],
  ['L-05 a swap file that is gone', { '/swapfile': undefined }, { '/files/fstab/entries/2/resolves': false }],
  [
    'L-06 an immutable password file',
    {},
    { '/files/passwordFile/immutable': true },
    { attributes: { '/etc/shadow': { immutable: true } } },
  ],
  [
    'L-06 an append-only password file',
    {},
    { '/files/passwordFile/appendOnly': true },
    { attributes: { '/etc/shadow': { appendOnly: true } } },
  ],
  [
    'L-06 no password file',
    { '/etc/shadow': undefined },
    {
      '/files/passwordFile/present': false,
      '/files/passwordFile/immutable': undefined,
      '/files/passwordFile/appendOnly': undefined,
      '/accounts/root/password': undefined,
    },
  ],
  [
    'L-07 SELinux in the file',
    { '/etc/selinux/config': 'SELINUX=permissive\n' },
    { '/security/selinux/configPresent': true, '/security/selinux/configMode': 'permissive' },
  ],
  [
    'L-07 SELinux by the default entry alone',
    { '/boot/grub/grub.cfg': grub.replace('ro  quiet', 'ro quiet security=selinux') },
    { '/security/selinux/kernelCommandLine': 'on' },
  ],
  [
    'L-09 nftables enabled without rules filters nothing',
    { '/etc/systemd/system/sysinit.target.wants/nftables.service': unit('nftables.service') },
    { '/firewall/mechanisms/1/enabledAtBoot': true },
  ],
  [
    'L-09 nftables enabled with rules in an include',
    {
      '/etc/systemd/system/sysinit.target.wants/nftables.service': unit('nftables.service'),
      '/etc/nftables.conf': 'flush ruleset\n# drop is only a word here\ninclude "/etc/nftables.d/*.nft"\n',
      '/etc/nftables.d/a.nft': 'table inet f { chain i { type filter hook input priority 0; policy drop; } }\n',
    },
    { '/firewall/mechanisms/1/enabledAtBoot': true, '/firewall/mechanisms/1/filters': true },
  ],
  [
    'L-09 nftables enabled with rules in an include of nft’s own directory',
    {
      '/etc/systemd/system/sysinit.target.wants/nftables.service': unit('nftables.service'),
      '/etc/nftables.conf': '# include "nftables/none.nft"\nflush ruleset; include "nftables/main.nft"\n',
      '/etc/nftables/none.nft': 'include "nftables/none.nft"\n',
      '/etc/nftables/main.nft': 'table inet f { chain i { type filter hook input priority 0; policy drop; } }\n',
    },
    { '/firewall/mechanisms/1/enabledAtBoot': true, '/firewall/mechanisms/1/filters': true },
  ],
  [
    'L-09 firewalld',
    enabled('firewalld.service'),
    {
      '/firewall/mechanisms/0/name': 'firewalld',
      '/firewall/mechanisms/0/enabledAtBoot': true,
      '/firewall/mechanisms/0/filters': undefined,
      '/firewall/mechanisms/1/name': 'iptables',
      '/firewall/mechanisms/2/name': 'nftables',
      '/firewall/mechanisms/2/enabledAtBoot': false,
      '/firewall/mechanisms/2/filters': false,
    },
  ],
  ['L-10 sshd not enabled', { [`${wants}/ssh.service`]: undefined }, { '/remoteAccess/ssh/enabledAtBoot': false }],
  [
    'L-10 sshd masked',
    { '/etc/systemd/system/ssh.service': { link: '/dev/null' } },
    { '/remoteAccess/ssh/enabledAtBoot': false },
  ],
  [
    'L-10 sshd enabled by a preset at the first boot',
    {
      [`${wants}/ssh.service`]: undefined,
      '/etc/machine-id': undefined,
      '/usr/lib/systemd/system-preset/90-a.preset': 'disable nftables.*\nenable ssh.service\ndisable *\n',
    },
    {},
  ],
  [
    'L-10 another port in a drop-in',
    {
      '/etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n',
      '/etc/ssh/sshd_config.d/10.conf': 'Port = 2222\n',
      '/etc/ssh/sshd_config.d/20.off': 'Port 23\n',
    },
    { '/remoteAccess/ssh/ports': [2222] },
  ],
  [
    'L-10 the loopback address alone',
    { '/etc/ssh/sshd_config': 'ListenAddress ::1\n' },
    { '/remoteAccess/ssh/loopbackOnly': true },
  ],
  [
    'L-10 a port on the command line',
    { '/etc/default/ssh': 'SSHD_OPTS="-p 2200"\n' },
    { '/remoteAccess/ssh/ports': [2200] },
  ],
  [
    'L-10 no server',
    { '/usr/sbin/sshd': undefined },
    { '/remoteAccess/ssh/installed': false, '/remoteAccess/ssh/ports': [] },
  ],
  [
    'L-11 a static address',
    {
      '/etc/network/interfaces':
        'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet static\n  address 192.0.2.2/24\n  gateway 192.0.2.1\n',
    },
    { '/network/interfaces/1/ipv4': 'static' },
  ],
  [
    'L-12 no disk driver in the initramfs',
    { [`/boot/initrd.img-${debianKernel}`]: gzipSync(cpio(['init', 'usr/lib/modules/x/virtio_pci.ko'])) },
    { '/boot/defaultKernel/virtioBlk': 'module', '/boot/defaultKernel/xenBlkfront': 'module' },
  ],
  [
    'L-12 an initramfs that nothing here can unpack',
    { [`/boot/initrd.img-${debianKernel}`]: Buffer.from('fd377a585a000000', 'hex') },
    {
      '/boot/defaultKernel/virtioBlk': undefined,
      '/boot/defaultKernel/virtioPci': undefined,
      '/boot/defaultKernel/xenBlkfront': undefined,
    },
  ],
  [
    'L-12 another default entry, whose kernel is gone',
    { '/boot/grub/grub.cfg': grub.replace('set default="0"', `set default="gnulinux-advanced-${rootUuid}>old"`) },
    {
      '/boot/defaultKernel/release': undefined,
      '/boot/defaultKernel/virtioBlk': undefined,
      '/boot/defaultKernel/virtioPci': undefined,
      '/boot/defaultKernel/virtioNet': undefined,
      '/boot/defaultKernel/xenBlkfront': undefined,
      '/boot/defaultKernel/xenNetfront': undefined,
    },
  ],
  [
    'L-13 no cloud-init',
    {
      '/usr/bin/cloud-init': undefined,
      '/usr/lib/systemd/system/cloud-init.service': undefined,
      '/var/lib/dpkg/status': '',
    },
    {
      '/agents/cloudInit/installed': false,
      '/agents/cloudInit/version': undefined,
      '/agents/cloudInit/versionText': undefined,
      '/agents/cloudInit/build': undefined,
      '/network/automatic': 'none',
    },
  ],
  [
    'L-13 cloud-init that leaves the network alone',
    { '/etc/cloud/cloud.cfg.d/99.cfg': 'network: {config: disabled}\n' },
    { '/network/automatic': 'none' },
  ],
  ['L-14 an empty password', { '/etc/shadow': 'root::18600:0:99999:7:::\n' }, { '/accounts/root/password': 'empty' }],
  [
    'L-14 a password that is set',
    { '/etc/shadow': `root:${'$'}6$canarysalt$${'canaryhash'.repeat(8)}:18600:0:99999:7:::\n` },
    { '/accounts/root/password': 'set' },
  ],
  [
    'L-15 a second interface',
    { '/etc/network/interfaces.d/eth1': 'auto eth1\niface eth1 inet manual\n' },
    {
      // The second file stands before, because it is included first.
      '/network/interfaces/0/name': 'eth1',
      '/network/interfaces/0/kind': 'physical',
      '/network/interfaces/1/name': 'lo',
      '/network/interfaces/1/kind': 'loopback',
      '/network/interfaces/1/ipv4': 'none',
      '/network/interfaces/1/primary': false,
      '/network/interfaces/2/name': 'eth0',
      '/network/interfaces/2/kind': 'physical',
      '/network/interfaces/2/broughtUpAtBoot': true,
      '/network/interfaces/2/primary': true,
      '/network/interfaces/2/ipv4': 'dhcp',
      '/network/interfaces/2/carrier': 'ifupdown',
    },
  ],
  [
    'L-16 an IPv6 address',
    { '/etc/network/interfaces.d/v6': 'iface eth0 inet6 static\n  address 2001:db8::10\n  netmask 64\n' },
    {
      '/network/interfaces/0/kind': 'physical',
      '/network/interfaces/0/name': 'eth0',
      '/network/interfaces/0/ipv4': 'dhcp',
      '/network/interfaces/0/primary': true,
      '/network/interfaces/1/kind': 'loopback',
      '/network/interfaces/1/name': 'lo',
      '/network/interfaces/1/ipv4': 'none',
      '/network/interfaces/1/primary': false,
      '/network/ipv6Addresses': undefined,
      '/network/ipv6Addresses/0/address': '2001:db8::10',
      '/network/ipv6Addresses/0/interface': 'eth0',
      '/network/ipv6Addresses/0/origin': 'configured',
      '/network/ipv6Addresses/0/scope': 'global',
    },
  ],
  [
    'L-16 an address that DHCPv6 gave is learned',
    { '/var/lib/dhcp/dhclient6.eth0.leases': 'lease6 {\n  ia-na {\n    iaaddr 2001:db8::99 {\n' },
    {
      '/network/ipv6Addresses': undefined,
      '/network/ipv6Addresses/0/address': '2001:db8::99',
      '/network/ipv6Addresses/0/interface': 'eth0',
      '/network/ipv6Addresses/0/origin': 'dhcpv6',
      '/network/ipv6Addresses/0/scope': 'global',
    },
  ],
  [
    'L-18 the guest agent',
    { '/usr/sbin/qemu-ga': 'program' },
    { '/agents/qemuGuestAgent/installed': true, '/agents/qemuGuestAgent/name': 'qemu-ga' },
  ],
  [
    'L-23 another distribution that claims a likeness',
    { '/usr/lib/os-release': 'PRETTY_NAME="Devuan"\nID=devuan\nID_LIKE=debian\nVERSION_ID="3"\n' },
    { '/os/id': 'devuan', '/os/name': 'Devuan', '/os/version': '3', '/files/issue/names': 'other' },
  ],
]

t.test('a single fault changes exactly the facts that it should', async (t) => {
  const good = await collect({ testdir: () => `${t.testdir({ good: {} })}/good` }, debian10)
  for (const [name, change, facts, extras] of faults) {
    await t.test(name, async (t) => {
      const found = await collect(t, changed(change), extras)
      t.same(changes(good, found), facts)
      t.notMatch(JSON.stringify(found), 'canary')
    })
  }
})

t.test('system files are compared with the digests of dpkg', async (t) => {
  const md5 = (text: string) => createHash('md5').update(text).digest('hex')
  const sums = (ls: string) =>
    `${md5(ls)}  bin/ls\n${md5('gone')}  sbin/gone\n${md5('x')}  bin/configured\n${md5('x')}  usr/share/doc/x\n${md5('diverted')}  usr/bin/diverted\n`
  const tree = (content: Change) =>
    changed({
      '/var/lib/dpkg/info/coreutils.md5sums': sums('the packaged ls'),
      '/var/lib/dpkg/diversions': '/usr/bin/diverted\n/usr/bin/diverted.real\nother\n',
      '/usr/bin/diverted.real': 'diverted',
      '/usr/sbin/gone': 'gone',
      ...content,
    })
  const systemFiles = async (content: Change) => {
    const document = await collect(t, tree(content), {}, (input) => ({ ...input, verifySystemFiles: true }))
    return { ...document.files?.systemFiles, missing: document.collection.missing }
  }
  t.match(await systemFiles({}), { baseline: 'dpkg', verification: 'match', modified: [], missing: [] })
  t.match(await systemFiles({ '/usr/sbin/gone': undefined }), {
    verification: 'modified',
    modified: [{ path: '/sbin/gone', change: 'missing' }],
  })
  t.match(await systemFiles({ '/usr/bin/ls': 'patched', '/usr/bin/diverted.real': 'patched' }), {
    verification: 'modified',
    modified: [
      { path: '/bin/ls', change: 'content' },
      { path: '/usr/bin/diverted.real', change: 'content' },
    ],
  })
  const prelinked = await systemFiles({ '/usr/bin/ls': 'patched .gnu.prelink_undo' })
  t.equal(prelinked.verification, undefined)
  t.match(prelinked.missing, [{ pointer: '/files/systemFiles/verification', code: 'unverifiable' }])
})

t.test('a file that cannot be read makes its own facts missing, and no others', async (t) => {
  const good = await collect({ testdir: () => `${t.testdir({ good: {} })}/good` }, debian10)
  const broken = await collect(t, debian10, { broken: ['/etc/network/interfaces', '/boot/grub/menu.lst'] })
  const gone = Object.keys(changes(good, broken))
  t.ok(gone.every((pointer) => /^\/network|^\/files\/menuLst/.test(pointer)))
  t.match((broken.collection.missing ?? []).map(({ pointer, code }) => `${pointer} ${code}`).sort(), [
    '/files/menuLst damaged',
    '/files/systemFiles/verification not-requested',
    '/network damaged',
  ])
})
