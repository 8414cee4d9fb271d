import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GuestFiles } from '../../../server/collector/guest.ts'
import type { Facts, Missing, Part } from '../../../server/collector/part.ts'
import { collectWindows } from '../../../server/collector/windows/collect.ts'
import type { WithHive } from '../../../server/collector/windows/hivexsh.ts'
import type { WindowsVolume } from '../../../server/collector/windows/survey.ts'
import type { Disk, Volume } from '../../../server/documents/facts.ts'
import { parseFacts } from '../../../server/facts/parse.ts'
import { directoryFiles, writeContents } from './directory.ts'
import { type GuestDescription, guestContents } from './guest.ts'
import { withHive } from './programs.ts'

const isSection = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function merged(target: object, source: object): object {
  const result: Record<string, unknown> = { ...target }
  for (const [name, value] of Object.entries(source)) {
    const present = result[name]
    result[name] = isSection(present) && isSection(value) ? merged(present, value) : value
  }
  return result
}

/** What was collected of one image. */
export interface Collected {
  readonly facts: Facts
  readonly missing: readonly Missing[]
}

/** The parts as one document, which must be one that the service takes. */
export function documentOf(parts: readonly Part[]): Collected {
  const sections = parts.reduce<object>((facts, part) => merged(facts, part.facts), {})
  const missing = parts.flatMap((part) => part.missing ?? [])
  const source = {
    pointers: [''],
    collector: 'imagegate',
    version: '1.0.0',
    method: 'test',
    basis: 'observed',
    at: '2026-01-01T00:00:00Z',
  }
  const text = JSON.stringify({ schema: 'imagegate.facts/1', ...sections, collection: { sources: [source], missing } })
  const { document } = parseFacts(Buffer.from(text))
  const { schema: _schema, collection: _collection, ...facts } = document
  return { facts, missing }
}

/** One volume on its own partition. */
export interface TestVolume {
  readonly guest?: GuestDescription
  readonly contents?: ReadonlyMap<string, Buffer>
  readonly readOnly?: readonly string[]
  readonly typeCode?: string
  readonly facts?: Volume
  /** Its files cannot be read. */
  readonly hidden?: boolean
}

/** Collects from volumes that are directories, on an MBR disk and without a sandbox unless told otherwise. */
export async function collectFrom(
  volumes: readonly TestVolume[],
  table: NonNullable<Disk['partitionTable']> = 'mbr',
  hives: WithHive = withHive,
  filesIn: (root: string) => GuestFiles = directoryFiles,
): Promise<Collected> {
  const top = await mkdtemp(join(tmpdir(), 'imagegate-windows-'))
  try {
    const given = await Promise.all(
      volumes.map(async ({ guest, contents, readOnly, facts, hidden }, index): Promise<WindowsVolume> => {
        const root = join(top, String(index))
        await mkdir(root)
        await writeContents(root, contents ?? (guest === undefined ? new Map() : await guestContents(guest)), readOnly)
        const partitionNumber = index + 1
        const known: Volume = {
          device: `/dev/sda${partitionNumber}`,
          partitionNumber,
          fileSystem: 'ntfs',
          encryption: 'none',
          check: { result: 'clean', method: 'flags' },
          ...facts,
        }
        return hidden === true ? { facts: known } : { facts: known, files: filesIn(root) }
      }),
    )
    const partitions = volumes.map(({ typeCode = '07' }, index) => ({
      number: index + 1,
      typeCode,
      content: 'file-system' as const,
    }))
    return documentOf(await collectWindows(given, { partitionTable: table, partitions }, hives))
  } finally {
    await rm(top, { recursive: true })
  }
}

/** Collects from a disk with one Windows volume. */
export function collectGuest(guest: GuestDescription = {}, readOnly: readonly string[] = []): Promise<Collected> {
  return collectFrom([{ guest, readOnly }])
}
