import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { collectWindows } from '../../../server/collector/windows/collect.ts'
import type { WindowsVolume } from '../../../server/collector/windows/survey.ts'
import { documentOf } from './collecting.ts'
import { driverFile } from './drivers.ts'
import { type GuestDescription, guestContents } from './guest.ts'
import { buildWindowsImage, imagePrograms, type WindowsImage } from './image.ts'
import { ntfsToolFiles } from './ntfs-tools.ts'
import { lacking, withHive } from './programs.ts'

const execute = promisify(execFile)
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' }
const said = async (program: string, ...args: string[]): Promise<string> =>
  (await execute(program, args, { env })).stdout
const skip = lacking(...imagePrograms, 'ntfscat', 'ntfsls', 'blkid', 'hivexsh')

const driver = '/Windows/System32/drivers/netkvm.sys'
const guest: GuestDescription = {
  product: 'server2016',
  files: { '/bootmgr': undefined, '/Boot/BCD': undefined, [driver]: driverFile({ company: 'Red Hat, Inc.' }) },
}
const reserved = new Map([['/bootmgr', Buffer.from('x')]])

interface Part {
  readonly start: number
  readonly size: number
  readonly type: string
}

/** The disk, and its partitions each in a file of its own. */
async function built(t: Test, image: WindowsImage): Promise<{ disk: string; table: Part[]; files: string[] }> {
  const directory = await mkdtemp(join(tmpdir(), 'imagegate-built-'))
  t.teardown(() => rm(directory, { recursive: true }))
  const disk = join(directory, 'disk.raw')
  await buildWindowsImage(disk, image)
  const table: Part[] = JSON.parse(await said('sfdisk', '--json', disk)).partitiontable.partitions
  const bytes = await readFile(disk)
  const files = table.map((_part, index) => join(directory, String(index)))
  for (const [index, { start, size }] of table.entries()) {
    await writeFile(files[index] ?? '', bytes.subarray(start * 512, (start + size) * 512))
  }
  return { disk, table, files }
}

t.test('the image holds what was described, byte for byte, with its flags', { skip }, async (t) => {
  const { table, files } = await built(t, {
    partitions: [
      { contents: reserved, label: 'System Reserved', dirty: true },
      { guest, readOnly: [driver], size: 24 },
    ],
  })
  t.match(table, [
    { start: 2048, size: 32_768, type: '7' },
    { start: 34_816, size: 49_152, type: '7' },
  ])
  const [system = '', windows = ''] = files
  t.match(await said('blkid', '-p', '-o', 'export', system), /LABEL=System\\? Reserved[\s\S]*TYPE=ntfs/)
  t.match(await said('ntfsinfo', '-f', '-m', system), /Volume Flags: 0x0001/)
  t.match(await said('ntfsinfo', '-m', windows), /Volume Flags: 0x0000/)
  const volume = ntfsToolFiles(windows)
  for (const [path, content] of await guestContents(guest)) t.ok((await volume.read(path))?.equals(content), path)
  t.match(await volume.stat(driver), { readOnly: true })
  t.match(await volume.stat('/Windows/System32/drivers/disk.sys'), { readOnly: false })
})

t.test('a GPT disk with a BitLocker volume is known by its own tools', { skip }, async (t) => {
  const { table, files } = await built(t, {
    table: 'gpt',
    partitions: [{ type: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B', size: 2 }, { bitLocker: true }],
  })
  t.equal(table[0]?.type, 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B')
  t.match(await said('blkid', '-p', '-o', 'export', files[1] ?? ''), 'TYPE=BitLocker')
})

t.test('facts of a guest come through a real NTFS volume', { skip }, async (t) => {
  const { files } = await built(t, {
    partitions: [{ contents: reserved }, { guest, readOnly: [driver], size: 24 }],
  })
  const volumes = files.map(
    (path, index): WindowsVolume => ({
      facts: { partitionNumber: index + 1, fileSystem: 'ntfs', encryption: 'none' },
      files: ntfsToolFiles(path),
    }),
  )
  const partitions = [1, 2].map((number) => ({ number, typeCode: '07' }))
  const { facts } = documentOf(await collectWindows(volumes, { partitionTable: 'mbr', partitions }, withHive))
  t.match(facts, {
    volumes: [{ role: 'system' }, { role: 'boot', mountPoint: 'C:' }],
    os: { name: 'Windows Server 2016 Standard', windows: { build: 14393, productType: 'server' } },
    boot: { loader: 'windows-boot-manager', firmware: 'bios' },
    drivers: {
      virtioWindows: {
        edition: 'red-hat',
        files: { netkvm: { exists: true, readOnly: true }, viostor: { exists: false } },
      },
    },
    firewall: { profiles: { public: { local: 'off', policy: 'unset' } } },
    remoteAccess: { rdp: { port: 3389 } },
    accounts: { administrator: { password: 'set' } },
  })
})
