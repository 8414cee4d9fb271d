import { execFile } from 'node:child_process'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { writeContents } from './directory.ts'

const run = promisify(execFile)
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' }

/** Programs that makeNtfs needs; wimapply is in Debian's package wimtools. */
export const ntfsPrograms = ['mkntfs', 'wimcapture', 'wimapply', 'ntfsinfo'] as const

/** What an NTFS volume holds. */
export interface NtfsVolume {
  readonly contents: ReadonlyMap<string, Buffer>
  /** Paths of contents that get the read-only attribute. */
  readonly readOnly?: readonly string[] | undefined
  readonly label?: string | undefined
  /** The volume's dirty flag is set. */
  readonly dirty?: boolean | undefined
}

const standardInformation = 0x10
const volumeInformation = 0x70

/** Offsets of the boot sector at which the places of the master file table and of its mirror (records 0 to 3) stand. */
const tables = { main: 0x30, mirror: 0x38 }

/** Where the content of a resident attribute of an MFT record lies in an NTFS volume. */
function attributeAt(volume: Buffer, table: keyof typeof tables, record: number, type: number): number {
  const clusterBytes = volume.readUInt16LE(0x0b) * volume.readUInt8(0x0d)
  const recordBytes = 1 << -volume.readInt8(0x40)
  const start = Number(volume.readBigUInt64LE(tables[table])) * clusterBytes + record * recordBytes
  let at = start + volume.readUInt16LE(start + 0x14)
  while (volume.readUInt32LE(at) !== type) {
    if (at > start + recordBytes) throw new Error(`MFT record ${record} has no attribute ${type}.`)
    at += volume.readUInt32LE(at + 4)
  }
  return at + volume.readUInt16LE(at + 0x14)
}

async function recordOf(volume: string, path: string): Promise<number> {
  const { stdout } = await run('ntfsinfo', ['-F', path, volume], { env })
  return Number(/^Dumping Inode (\d+)/m.exec(stdout)?.[1])
}

/** The read-only attribute and the dirty flag, which no program sets without mounting. */
async function setFlags(path: string, { readOnly = [], dirty = false }: NtfsVolume): Promise<void> {
  if (readOnly.length === 0 && !dirty) return
  const records: number[] = []
  for (const name of readOnly) records.push(await recordOf(path, name))
  const volume = await readFile(path)
  for (const record of records) volume.writeUInt8(0x21, attributeAt(volume, 'main', record, standardInformation) + 0x20)
  if (dirty) {
    for (const table of ['main', 'mirror'] as const) {
      volume.writeUInt8(1, attributeAt(volume, table, 3, volumeInformation) + 0x0a)
    }
  }
  await writeFile(path, volume)
}

/** Makes an NTFS volume with these contents in a file, without mounting: wimapply writes into the volume itself. */
export async function makeNtfs(path: string, sizeBytes: number, volume: NtfsVolume): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'imagegate-ntfs-'))
  try {
    const tree = join(directory, 'tree')
    const archive = join(directory, 'tree.wim')
    const config = join(directory, 'capture.ini')
    await writeContents(tree, volume.contents)
    const file = await open(path, 'wx')
    await file.truncate(sizeBytes)
    await file.close()
    await run(
      'mkntfs',
      ['-q', '-F', '-Q', '-s', '512', '-p', '2048', '-H', '16', '-S', '63', '-L', volume.label ?? '', path],
      { env },
    )
    // By itself wimcapture leaves out hiberfil.sys and other files of a running system.
    await writeFile(config, '[ExclusionList]\n')
    await run('wimcapture', [tree, archive, '--compress=none', '--no-acls', `--config=${config}`], { env })
    await run('wimapply', [archive, '1', path], { env })
    await setFlags(path, volume)
  } finally {
    await rm(directory, { recursive: true })
  }
}
