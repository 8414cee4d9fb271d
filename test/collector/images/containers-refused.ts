import { writeFile } from 'node:fs/promises'
import { type ContainerName, convert } from './containers.ts'
import { patch } from './disk.ts'
import { withFolder } from './linux-disks.ts'
import type { TestImage } from './linux-images.ts'
import { run } from './run.ts'

const other = (name: string, container: ContainerName): TestImage => ({
  name,
  requirement: 'G-01',
  build: (path, good) => convert(good, path, container),
  programs: ['qemu-img'],
})

/** A disk that only says that another file has the rest. */
async function differencing(path: string, good: string): Promise<void> {
  await convert(good, path, 'vhd-dynamic')
  // The disk's type, in both copies of the footer, and the checksum of each, which the change makes larger by one.
  const { stdout } = await run('stat', ['--format=%s', path])
  for (const at of [0, Number(stdout.toString()) - 512]) {
    await patch(path, at + 60, Buffer.from([0, 0, 0, 4]))
    const sum = await checksum(path, at)
    await patch(path, at + 64, sum)
  }
}

async function checksum(path: string, at: number): Promise<Buffer> {
  const { stdout } = await run('dd', [
    `if=${path}`,
    'bs=512',
    'count=1',
    `skip=${at}`,
    'iflag=skip_bytes',
    'status=none',
  ])
  stdout.fill(0, 64, 68)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(~stdout.reduce((total, byte) => total + byte, 0) >>> 0)
  return sum
}

/** Containers that are no complete RAW, QCOW2 or VHD. The good image they are made of is a small one. */
export const refusedContainers: readonly TestImage[] = [
  other('container-qcow1', 'qcow1'),
  other('container-vmdk', 'vmdk'),
  other('container-vhdx', 'vhdx'),
  other('container-vdi', 'vdi'),
  {
    name: 'container-iso',
    requirement: 'G-01',
    build: (path) =>
      withFolder(async (folder) => {
        await writeFile(`${folder}/readme.txt`, 'A medium.\n')
        await run('makefs', ['-t', 'cd9660', path, folder])
      }),
    programs: ['makefs'],
  },
  {
    name: 'container-archive',
    requirement: 'G-01',
    build: async (path, good) => writeFile(path, (await run('gzip', ['-c', good])).stdout),
    programs: ['gzip'],
  },
  {
    name: 'container-backing-file',
    requirement: 'G-01',
    build: async (path, good) => {
      await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', good, path])
    },
    programs: ['qemu-img'],
  },
  {
    name: 'container-data-file',
    requirement: 'G-01',
    build: async (path) => {
      const options = `data_file=${path}.data,data_file_raw=on`
      await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', options, path, '16M'])
    },
    programs: ['qemu-img'],
  },
  {
    name: 'container-encrypted',
    requirement: 'G-01',
    build: async (path) => {
      const secret = ['--object', 'secret,id=key,data=secret']
      // The older of the two ways: LUKS measures the processor first, which fails on a busy machine.
      const options = 'encrypt.format=aes,encrypt.key-secret=key'
      await run('qemu-img', ['create', '-q', ...secret, '-f', 'qcow2', '-o', options, path, '16M'])
    },
    programs: ['qemu-img'],
  },
  { name: 'container-differencing', requirement: 'G-01', build: differencing, programs: ['qemu-img'] },
]
