import t from 'tap'
import { collectLinux } from '../../../server/collector/linux/collect.ts'
import type { LinuxInput } from '../../../server/collector/linux/input.ts'
import { debian10 } from './debian.ts'
import { coreosBoot, coreosUsr, freebsd12, ubuntu1404, ubuntu2004 } from './others.ts'
import { alinux2, centos5, centos6, centos7, centos8 } from './redhat.ts'
import { assemble, collect, leaves, oneDisk, plant, type Tree, TreeFiles, volume } from './support.ts'
import { opensuse15, sles12 } from './suse.ts'

const unasked = ['/files/systemFiles/verification']
const noCopy = [...unasked, '/security/selinux/configIsDistributionDefault']

/** What each installation must tell: facts by pointer, and what it cannot. */
const installations: readonly (readonly [
  name: string,
  tree: Tree,
  facts: Record<string, unknown>,
  missing: string[],
])[] = [
  [
    'Debian 10',
    debian10,
    {
      '/os/type': 'linux',
      '/os/id': 'debian',
      '/os/version': '10.7',
      '/os/name': 'Debian GNU/Linux 10 (buster)',
      '/os/architecture': 'x86_64',
      '/boot/loader': 'grub2',
      '/boot/firmware': 'bios',
      '/boot/defaultKernel/release': '4.19.0-13-amd64',
      '/boot/defaultKernel/virtioBlk': 'initramfs',
      '/boot/defaultKernel/virtioNet': 'module',
      '/boot/defaultKernel/xenNetfront': 'module',
      '/files/menuLst/present': false,
      '/files/fstab/entries/2/sourceKind': 'file-path',
      '/files/fstab/entries/2/resolves': true,
      '/accounts/root/password': 'locked',
      '/agents/cloudInit/version': '20.2',
      '/agents/qemuGuestAgent/installed': false,
      '/security/selinux/configPresent': false,
      '/network/interfaces/1/name': 'eth0',
      '/network/interfaces/1/primary': true,
      '/network/interfaces/1/ipv4': 'dhcp',
      '/network/automatic': 'cloud-init',
      '/remoteAccess/ssh/ports': [22],
      '/volumes/0/role': 'root',
      '/volumes/0/mounted': true,
      '/disk/partitions/0/role': 'root',
    },
    unasked,
  ],
  [
    'Ubuntu 20.04',
    ubuntu2004,
    {
      '/os/id': 'ubuntu',
      '/os/version': '20.4',
      '/boot/firmware': 'both',
      '/boot/defaultKernel/virtioBlk': 'built-in',
      '/boot/defaultKernel/xenNetfront': 'built-in',
      '/agents/cloudInit/versionText': '20.3-2-g371b392c-0ubuntu1~20.04.1',
      '/agents/cloudInit/version': '20.3',
      '/agents/qemuGuestAgent/installed': true,
      '/firewall/mechanisms/0/name': 'ufw',
      '/firewall/mechanisms/0/enabledAtBoot': true,
      '/firewall/mechanisms/0/filters': false,
      '/network/interfaces/0/name': 'ens3',
      '/network/interfaces/0/kind': 'physical',
      '/network/interfaces/0/carrier': 'netplan',
      '/network/interfaces/1/kind': 'container',
      '/network/interfaces/1/broughtUpAtBoot': false,
      '/network/automatic': 'cloud-init',
      '/remoteAccess/ssh/enabledAtBoot': true,
      // The drop-in forgets the unit's own port; the other one is reached from the machine alone.
      '/remoteAccess/ssh/ports': [2022],
      '/remoteAccess/ssh/loopbackOnly': false,
      '/volumes/1/role': 'efi-system',
      '/volumes/1/mountPoint': '/boot/efi',
      '/disk/partitions/1/role': 'efi-system',
      '/disk/partitions/2/role': 'bios-boot',
    },
    unasked,
  ],
  [
    'Ubuntu 14.04',
    ubuntu1404,
    {
      '/os/id': 'ubuntu',
      '/os/version': '14.4',
      '/firewall/mechanisms/0/enabledAtBoot': false,
      '/firewall/mechanisms/0/filters': true,
      '/network/interfaces/1/primary': true,
      '/network/interfaces/2/primary': false,
      '/network/interfaces/2/ipv4': 'static',
      '/network/automatic': 'none',
      '/remoteAccess/ssh/enabledAtBoot': true,
    },
    ['/boot/defaultKernel', '/boot/loader', ...unasked, '/security/selinux/kernelCommandLine'],
  ],
  [
    'CentOS 5',
    centos5,
    {
      '/os/id': 'centos',
      '/os/version': '5.11',
      '/files/releaseFiles/0/path': '/etc/redhat-release',
      '/files/issue/names': 'same',
      '/boot/loader': 'grub-legacy',
      '/files/menuLst/present': true,
      '/files/menuLst/bootableEntries': 1,
      '/boot/defaultKernel/release': '2.6.18-398.el5',
      '/boot/defaultKernel/virtioBlk': 'module',
      '/boot/defaultKernel/xenBlkfront': 'initramfs',
      '/boot/defaultKernel/xenNetfront': 'initramfs',
      '/security/selinux/kernelCommandLine': 'off',
      '/security/selinux/configMode': 'enforcing',
      '/files/fstab/entries/0/sourceKind': 'label',
      '/files/fstab/entries/0/resolves': true,
      '/firewall/mechanisms/0/enabledAtBoot': false,
      '/network/interfaces/0/carrier': 'ifcfg',
      '/network/interfaces/0/ipv4': 'dhcp',
      '/network/interfaces/1/kind': 'loopback',
      '/network/automatic': 'none',
    },
    noCopy,
  ],
  [
    'CentOS 6',
    centos6,
    {
      '/os/version': '6.10',
      '/boot/defaultKernel/virtioBlk': 'initramfs',
      '/boot/defaultKernel/xenBlkfront': 'module',
      '/security/selinux/configMode': 'disabled',
      '/firewall/mechanisms/0/name': 'iptables',
      '/firewall/mechanisms/0/enabledAtBoot': true,
      '/firewall/mechanisms/0/filters': true,
      '/remoteAccess/ssh/allowedByFirewall': true,
      '/agents/cloudInit/version': '0.7.6',
      '/agents/cloudInit/build': 'alibaba',
      '/files/fstab/entries/1/sourceKind': 'kernel-device',
      '/files/fstab/entries/1/resolves': false,
      '/network/interfaces/0/ipv4': 'static',
      '/network/interfaces/0/primary': true,
      '/network/interfaces/1/broughtUpAtBoot': false,
      '/network/ipv6Addresses/0/address': '2001:db8::10',
      '/network/ipv6Addresses/0/scope': 'global',
    },
    noCopy,
  ],
  [
    'CentOS 7',
    centos7,
    {
      '/os/version': '7.9.2009',
      '/files/issue/names': 'none',
      '/files/issue/usesEscapes': true,
      '/boot/defaultKernel/release': '3.10.0-1160.el7.x86_64',
      '/boot/defaultKernel/virtioNet': 'initramfs',
      '/security/selinux/kernelCommandLine': 'on',
      '/security/selinux/configMode': 'permissive',
      '/firewall/mechanisms/0/name': 'firewalld',
      '/firewall/mechanisms/0/enabledAtBoot': false,
      '/network/automatic': 'none',
      '/agents/cloudInit/installed': false,
    },
    noCopy,
  ],
  [
    'CentOS 8',
    centos8,
    {
      '/os/version': '8.2.2004',
      // The saved entry, not the newest kernel; and grubenv's words, not those that grub.cfg falls back to.
      '/boot/defaultKernel/release': '4.18.0-193.el8.x86_64',
      '/security/selinux/kernelCommandLine': 'unset',
      '/boot/defaultKernel/virtioPci': 'built-in',
      '/boot/defaultKernel/virtioBlk': 'initramfs',
      '/security/selinux/configMode': 'enforcing',
      '/firewall/mechanisms/0/enabledAtBoot': true,
      '/remoteAccess/ssh/allowedByFirewall': true,
      '/network/interfaces/0/name': 'ens3',
      '/network/interfaces/0/carrier': 'network-manager',
      '/network/ipv6Addresses': undefined,
      '/network/ipv6Addresses/0/address': 'fd00::5',
      '/network/ipv6Addresses/0/scope': 'unique-local',
      '/network/ipv6Addresses/1/address': undefined,
      '/network/automatic': 'network-manager',
      '/agents/qemuGuestAgent/name': 'qemu-ga',
    },
    noCopy,
  ],
  [
    'Alibaba Cloud Linux 2',
    alinux2,
    { '/os/id': 'alinux', '/os/version': '2.1903', '/files/issue/names': 'same', '/agents/cloudInit/build': 'alibaba' },
    noCopy,
  ],
  [
    'openSUSE Leap 15.2',
    opensuse15,
    {
      '/os/id': 'opensuse',
      '/os/version': '15.2',
      '/files/issue/kind': 'generated',
      '/boot/defaultKernel/release': '5.3.18-lp152.57-default',
      '/boot/defaultKernel/xenBlkfront': 'absent',
      '/accounts/root/password': 'empty',
      '/firewall/mechanisms/0/enabledAtBoot': false,
      '/network/interfaces/0/carrier': 'wicked',
      '/network/interfaces/0/ipv4': 'dhcp',
      '/network/interfaces/2/name': undefined,
    },
    ['/files/issue/names', ...unasked],
  ],
  [
    'SLES 12 for SAP',
    sles12,
    {
      '/os/id': 'sles',
      '/os/version': '12.4',
      '/files/fstab/entries/0/resolves': true,
      '/files/fstab/entries/1/sourceKind': 'other',
      '/firewall/mechanisms/0/name': 'susefirewall2',
      '/firewall/mechanisms/0/enabledAtBoot': true,
      '/network/interfaces/0/ipv4': 'static',
      '/network/interfaces/1/broughtUpAtBoot': false,
      '/network/ipv6Addresses/0/scope': 'global',
      '/network/ipv6Addresses/1/scope': 'link-local',
      '/remoteAccess/ssh/ports': [22, 2222],
      '/remoteAccess/ssh/loopbackOnly': true,
    },
    [...unasked, '/remoteAccess/ssh/allowedByFirewall'],
  ],
  [
    'FreeBSD 12.2',
    freebsd12,
    {
      '/os/type': 'freebsd',
      '/os/id': 'freebsd',
      '/os/version': '12.2',
      '/boot/loader': 'freebsd-loader',
      '/boot/defaultKernel/release': '12.2-RELEASE',
      '/boot/defaultKernel/virtioBlk': 'built-in',
      '/boot/defaultKernel/virtioNet': 'loader',
      '/boot/defaultKernel/xenNetfront': 'absent',
      '/files/issue/kind': 'missing',
      '/files/fstab/entries/0/sourceKind': 'partlabel',
      '/files/fstab/entries/0/resolves': true,
      '/files/fstab/entries/1/resolves': true,
      '/files/passwordFile/path': '/etc/master.passwd',
      '/accounts/root/password': 'empty',
      '/firewall/mechanisms/1/name': 'ipfw',
      '/network/interfaces/0/ipv4': 'none',
      '/network/interfaces/1/name': 'vtnet0',
      '/network/interfaces/1/ipv4': 'dhcp',
      '/remoteAccess/ssh/enabledAtBoot': true,
      '/agents/cloudInit/version': '20.3',
      '/disk/partitions/0/role': 'freebsd-boot',
      '/disk/partitions/1/role': 'freebsd-swap',
      '/disk/partitions/2/role': 'root',
      '/disk/partitions/1/followsRoot': false,
    },
    ['/disk/firstPartition', ...unasked],
  ],
]

/** Disks that differ from the single ext4 partition. */
const disks: Readonly<Record<string, (input: LinuxInput) => LinuxInput>> = {
  'CentOS 5': (input) => relabelled(input, '/'),
  'Ubuntu 20.04': (input) => {
    const plain = relabelled(input, 'cloudimg-rootfs')
    const efi = { number: 15, device: '/dev/sda15', typeCode: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b' }
    const bios = { number: 14, device: '/dev/sda14', typeCode: '21686148-6449-6e6f-744e-656564454649' }
    return {
      ...plain,
      volumes: [...plain.volumes, volume(15, { fileSystem: 'fat32', label: 'UEFI', uuid: '7a3c-91d0' })],
      disk: { partitionTable: 'gpt', partitions: [...(plain.disk?.partitions ?? []), efi, bios] },
    }
  },
  'FreeBSD 12.2': (input) => {
    const [files] = input.volumes.map((one) => one.files)
    const root = volume(3, { device: 'ada0p3', fileSystem: 'ufs', label: '', uuid: '5fe0a1b2c3d4e5f6' }, files)
    return {
      ...input,
      volumes: [{ ...root, block: { ...root.block, partitionLabel: 'rootfs' } }],
      otherBlocks: [{ device: 'ada0p2', partitionNumber: 2, partitionLabel: 'swapfs' }],
      disk: {
        partitionTable: 'gpt',
        partitions: [
          { number: 1, typeCode: '83bd6b9d-7f41-11dc-be0b-001560b84f0f', startBytes: 20480, sizeBytes: 524288 },
          { number: 2, content: 'swap', startBytes: 1048576, sizeBytes: 1073741824 },
          { number: 3, content: 'file-system', startBytes: 1074790400, sizeBytes: 20398997504 },
        ],
      },
    }
  },
}

function relabelled(input: LinuxInput, label: string): LinuxInput {
  const [files] = input.volumes.map((one) => one.files)
  return { ...input, volumes: [volume(1, { fileSystem: 'ext4', label }, files)] }
}

for (const [name, tree, facts, missing] of installations) {
  t.test(`${name} tells what it is`, async (t) => {
    const document = await collect(t, tree, {}, disks[name])
    const found = leaves(document)
    for (const [pointer, value] of Object.entries(facts)) t.same(found.get(pointer), value, pointer)
    t.same((document.collection.missing ?? []).map(({ pointer }) => pointer).sort(), [...missing].sort(), 'missing')
  })
}

t.test('CoreOS Container Linux is found by its own partitions, and its first boot is foreseen', async (t) => {
  const [usr, boot, root] = [t.testdir({ usr: {}, boot: {}, root: {} })].flatMap((dir) =>
    ['usr', 'boot', 'root'].map((name) => `${dir}/${name}`),
  )
  for (const [place, tree] of [
    [usr, coreosUsr],
    [boot, coreosBoot],
  ] as const)
    plant(place ?? '', tree)
  const vendor = '5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6'
  const input: LinuxInput = {
    ...oneDisk(new TreeFiles(root ?? '')),
    volumes: [
      volume(1, { fileSystem: 'fat16', label: 'EFI-SYSTEM' }, new TreeFiles(boot ?? '')),
      volume(3, { fileSystem: 'ext2', label: 'USR-A' }, new TreeFiles(usr ?? '')),
      volume(9, { fileSystem: 'ext4', label: 'ROOT' }, new TreeFiles(root ?? '')),
    ],
    disk: {
      partitionTable: 'hybrid',
      partitions: [
        { number: 1, typeCode: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b' },
        { number: 3, typeCode: vendor, content: 'file-system' },
        { number: 4, typeCode: vendor, content: 'unformatted' },
        { number: 9, typeCode: '3884dd41-8582-4404-b9a8-e9b84f2df50e', content: 'file-system' },
        { number: 10, typeCode: '0fc63daf-8483-4772-8e79-3d69d8477de4', content: 'unformatted' },
      ],
    },
  }
  const document = assemble(await collectLinux(input))
  const found = leaves(document)
  const facts = {
    '/os/id': 'coreos',
    '/os/version': '2512.3.0',
    '/boot/loader': 'grub2',
    '/boot/firmware': 'both',
    '/boot/defaultKernel/release': '4.19.124-coreos',
    '/boot/defaultKernel/virtioPci': 'built-in',
    '/boot/defaultKernel/virtioBlk': undefined,
    '/files/fstab/present': false,
    '/files/passwordFile/present': true,
    '/accounts/root/password': 'locked',
    '/security/selinux/configMode': 'permissive',
    '/security/selinux/configIsDistributionDefault': true,
    '/network/automatic': 'networkd-default',
    '/network/interfaces/0/kind': 'container',
    '/remoteAccess/ssh/enabledAtBoot': true,
    '/remoteAccess/ssh/ports': [22],
    '/agents/ignition/installed': true,
    '/agents/coreosCloudinit/installed': true,
    '/agents/cloudInit/installed': false,
    '/disk/partitions/0/role': 'efi-system',
    '/disk/partitions/1/role': 'vendor',
    '/disk/partitions/2/role': 'vendor',
    '/disk/partitions/3/role': 'root',
    '/disk/partitions/4/role': 'data',
    '/volumes/1/mountPoint': '/usr',
    '/volumes/1/readOnly': true,
    '/volumes/2/role': 'root',
  }
  for (const [pointer, value] of Object.entries(facts)) t.same(found.get(pointer), value, pointer)
  const lost = (document.collection.missing ?? []).map(({ pointer }) => pointer)
  t.same(lost.sort(), ['/boot/defaultKernel/virtioBlk', '/files/systemFiles/verification'])
})

t.test('a disk without such a system gives no part', async (t) => {
  const root = t.testdir({ bootmgr: 'x', Windows: {} })
  t.same(await collectLinux(oneDisk(new TreeFiles(root))), [])
})
