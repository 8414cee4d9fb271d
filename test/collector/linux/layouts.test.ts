import t from 'tap'
import { collectLinux } from '../../../server/collector/linux/collect.ts'
import type { GuestVolume, LinuxInput } from '../../../server/collector/linux/input.ts'
import { debian10 } from './debian.ts'
import { centos7 } from './redhat.ts'
import { assemble, leaves, plant, rootUuid, type Tree, TreeFiles, volume } from './support.ts'

/** Parts of a tree below a directory, as a volume that is mounted there would hold them. */
function below(tree: Tree, directory: string): Tree {
  const inside = Object.entries(tree).filter(([path]) => path.startsWith(`${directory}/`))
  return Object.fromEntries(inside.map(([path, content]) => [path.slice(directory.length), content]))
}

function without(tree: Tree, directory: string): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !path.startsWith(`${directory}/`)))
}

/** Plants trees side by side. */
function places(t: Tap, ...trees: readonly Tree[]): TreeFiles[] {
  const dir = t.testdir(Object.fromEntries(trees.map((_, index) => [`v${index}`, {}])))
  return trees.map((tree, index) => {
    plant(`${dir}/v${index}`, tree)
    return new TreeFiles(`${dir}/v${index}`)
  })
}

type Tap = { testdir(content: Record<string, Record<string, never>>): string }

async function facts(input: LinuxInput): Promise<Map<string, unknown>> {
  return leaves(assemble(await collectLinux(input)))
}

const onDisk = (volumes: readonly GuestVolume[], change: Partial<LinuxInput> = {}): LinuxInput => ({
  volumes,
  otherBlocks: [],
  complete: true,
  disk: {
    partitionTable: 'mbr',
    partitions: volumes.map((_, index) => ({
      number: index + 1,
      typeCode: '83',
      content: 'file-system',
      startBytes: (index + 1) * 1_048_576,
      sizeBytes: 1_048_576,
    })),
  },
  ...change,
})

const bootUuid = '00000000-0000-4000-8000-000000000001'
const usrUuid = '00000000-0000-4000-8000-000000000002'

t.test('a separate /boot and /usr are one tree with root, links from one to the other too', async (t) => {
  const fstab = `UUID=${bootUuid} /boot ext4 defaults 0 2\nUUID=${rootUuid} / ext4 defaults 0 1\n/dev/sda3 /usr ext4 ro 0 2\n`
  const root = {
    ...without(without(debian10, '/usr'), '/boot'),
    '/etc/fstab': fstab,
    '/usr/bin/hidden': 'x',
    '/swapfile': '',
  }
  const [bootFiles, rootFiles, usrFiles] = places(t, below(debian10, '/boot'), root, below(debian10, '/usr'))
  const input = onDisk([
    volume(1, { fileSystem: 'ext4', uuid: bootUuid }, bootFiles),
    volume(2, { fileSystem: 'ext4', uuid: rootUuid }, rootFiles),
    volume(3, { fileSystem: 'ext4', uuid: usrUuid }, usrFiles),
  ])
  const found = await facts(input)
  const expected = {
    '/os/id': 'debian',
    '/boot/loader': 'grub2',
    '/boot/defaultKernel/virtioBlk': 'initramfs',
    '/boot/defaultKernel/virtioNet': 'module',
    '/remoteAccess/ssh/installed': true,
    '/remoteAccess/ssh/enabledAtBoot': true,
    '/volumes/0/role': 'boot',
    '/volumes/0/mountPoint': '/boot',
    '/volumes/1/role': 'root',
    '/volumes/2/role': 'data',
    '/volumes/2/mountPoint': '/usr',
    '/volumes/2/readOnly': true,
    '/disk/partitions/0/role': 'boot',
    '/disk/partitions/0/followsRoot': false,
    '/disk/partitions/1/role': 'root',
    '/disk/partitions/2/role': 'system-directory',
    '/disk/partitions/2/followsRoot': true,
    '/files/fstab/entries/2/sourceKind': 'kernel-device',
    '/files/fstab/entries/2/resolves': true,
  }
  for (const [pointer, value] of Object.entries(expected)) t.same(found.get(pointer), value, pointer)
})

t.test('what lies on a volume that cannot be read is unknown, not absent', async (t) => {
  const fstab = `UUID=${rootUuid} / ext4 defaults 0 1\nUUID=${usrUuid} /usr ext4 defaults 0 2\n`
  const [files] = places(t, {
    ...without(debian10, '/usr'),
    '/etc/fstab': fstab,
    '/usr/nothing': '',
    '/etc/os-release': 'ID=debian\nVERSION_ID=10\n',
  })
  const found = await facts(
    onDisk([
      volume(1, { fileSystem: 'ext4', uuid: rootUuid }, files),
      volume(2, { fileSystem: 'ext4', uuid: usrUuid }),
    ]),
  )
  for (const pointer of ['/remoteAccess/ssh/installed', '/agents/qemuGuestAgent/installed', '/firewall/mechanisms'])
    t.equal(found.get(pointer), undefined, pointer)
  t.equal(found.get('/accounts/root/password'), 'locked')
  t.equal(found.get('/files/fstab/entries/1/resolves'), true)
})

t.test('of several systems the one whose fstab names its own volume is the installed one', async (t) => {
  const old: Tree = { ...centos7, '/etc/fstab': `UUID=${usrUuid} / xfs defaults 0 0\n` }
  const [first, second] = places(t, old, debian10)
  const volumes = [
    volume(1, { fileSystem: 'xfs', uuid: bootUuid }, first),
    volume(2, { fileSystem: 'ext4', uuid: rootUuid }, second),
  ]
  const found = await facts(onDisk(volumes))
  t.equal(found.get('/os/id'), 'debian')
  t.equal(found.get('/volumes/0/mounted'), false)
  t.equal(found.get('/disk/partitions/0/role'), 'data')
})

t.test('subvolumes of btrfs are mounted by their names', async (t) => {
  const fstab = `UUID=${rootUuid} / btrfs defaults 0 0\nUUID=${rootUuid} /usr btrfs subvol=/@/usr 0 0\n`
  const system = Object.fromEntries(
    Object.entries({ ...without(centos7, '/usr'), '/etc/fstab': fstab }).map(([path, content]) => [
      `/@/.snapshots/1/snapshot${path}`,
      content,
    ]),
  )
  const usr = Object.fromEntries(
    Object.entries(below(centos7, '/usr')).map(([path, content]) => [`/@/usr${path}`, content]),
  )
  const [files] = places(t, { ...system, ...usr })
  const found = await facts(onDisk([volume(1, { fileSystem: 'btrfs', uuid: rootUuid }, files)]))
  t.equal(found.get('/os/id'), 'centos')
  t.equal(found.get('/os/architecture'), 'x86_64')
  t.equal(found.get('/volumes/0/role'), 'root')
  t.equal(found.get('/remoteAccess/ssh/installed'), true)
})

t.test('root on a logical volume has no partition of its own', async (t) => {
  const fstab =
    '/dev/mapper/cl-root / xfs defaults 0 0\n/dev/cl/swap swap swap defaults 0 0\n/dev/mapper/gone /gone xfs nofail 0 0\n'
  const [files] = places(t, { ...centos7, '/etc/fstab': fstab })
  const root = {
    ...volume(1, { fileSystem: 'xfs', uuid: rootUuid }, files),
    facts: { device: '/dev/cl/root', fileSystem: 'xfs' as const, uuid: rootUuid },
    block: { device: '/dev/cl/root', mapperNames: ['cl/root', 'mapper/cl-root'] },
  }
  const input = onDisk([root], {
    otherBlocks: [{ device: '/dev/cl/swap', mapperNames: ['cl/swap', 'mapper/cl-swap'] }],
    disk: { partitionTable: 'mbr', partitions: [{ number: 1, content: 'lvm', typeCode: '8e' }] },
  })
  const found = await facts(input)
  t.equal(found.get('/volumes/0/mountPoint'), '/')
  t.equal(found.get('/disk/partitions/0/role'), 'data')
  t.same(
    [0, 1, 2].map((index) => found.get(`/files/fstab/entries/${index}/resolves`)),
    [true, true, false],
  )
  t.equal(found.get('/files/fstab/entries/2/noFail'), true)
  const unknown = await facts({ ...input, complete: false })
  t.equal(unknown.get('/files/fstab/entries/2/resolves'), undefined, 'unless the volumes are not all known')
  t.equal(unknown.get('/volumes'), undefined)
})

t.test('mount units mount too, and what no mount names is data', async (t) => {
  const unit = '[Mount]\nWhat=/dev/disk/by-label/extra\nWhere=/srv\nType=ext4\n'
  const tree: Tree = {
    ...debian10,
    '/etc/systemd/system/srv.mount': unit,
    '/etc/systemd/system/local-fs.target.wants/srv.mount': { link: '../srv.mount' },
  }
  const [files] = places(t, tree)
  const volumes = [
    volume(1, { fileSystem: 'ext4', uuid: rootUuid }, files),
    volume(2, { fileSystem: 'ext4', uuid: usrUuid, label: 'extra' }),
    volume(3, { fileSystem: 'ext4', uuid: bootUuid }),
  ]
  const found = await facts(onDisk(volumes))
  t.equal(found.get('/volumes/1/mountPoint'), '/srv')
  t.equal(found.get('/disk/partitions/1/role'), 'system-directory')
  t.equal(found.get('/volumes/2/mounted'), false)
  t.equal(found.get('/disk/partitions/2/role'), 'data')
  t.equal(found.get('/files/fstab/entries/3/source'), 'tmpfs', 'fstab itself is told as it is')
})

t.test('the first partition is looked at for a customized image, wherever it is mounted', async (t) => {
  const fstab = `LABEL=boot /boot ext4 defaults 0 2\nUUID=${rootUuid} / ext4 defaults 0 1\n`
  const [boot, root] = places(t, { '/aliyun_custom_image/os.conf': '' }, { ...debian10, '/etc/fstab': fstab })
  const first = volume(1, { fileSystem: 'ext4', label: 'boot' }, boot)
  const volumes = [first, volume(2, { fileSystem: 'ext4', uuid: rootUuid }, root)]
  const found = await facts(onDisk(volumes))
  t.equal(found.get('/disk/firstPartition/customImageDirectory'), true)
  t.equal(found.get('/disk/firstPartition/writable'), true)
  const readOnly = await facts(onDisk([{ ...first, writable: false }, ...volumes.slice(1)]))
  t.equal(readOnly.get('/disk/firstPartition/writable'), false)
})
