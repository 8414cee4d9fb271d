import type { Disk } from '../../documents/facts.ts'
import { GuestError } from '../guest.ts'
import type { GuestRead } from '../sniff/result.ts'
import type { Place } from '../tools/place.ts'
import type { Toolbox } from '../tools/toolbox.ts'
import { count, member } from './json.ts'

/** One entry of the partition table. */
export interface Entry {
  readonly number: number
  /** MBR: two hexadecimal digits; GPT: a UUID; both in lower case. */
  readonly typeCode?: string
  /** Unit: bytes. */
  readonly start: number
  /** Unit: bytes. */
  readonly length: number
}

/** What sfdisk reads: the kind of table and its entries in the order of their start. */
export interface Table {
  readonly kind: NonNullable<Disk['partitionTable']>
  readonly entries: readonly Entry[]
}

/** The longest list that a fact document takes. */
const mostEntries = 256

function entryOf(value: unknown, sectorSize: number): Entry {
  const [, number] = /(\d{1,4})$/.exec(String(member(value, 'node'))) ?? []
  const start = count(member(value, 'start'))
  const size = count(member(value, 'size'))
  if (number === undefined || start === undefined || size === undefined)
    throw new GuestError('unreadable', 'sfdisk describes a partition without number, start or size.')
  const type = String(member(value, 'type')).toLowerCase().padStart(2, '0')
  const typed = /^([0-9a-f]{2}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(type) ? { typeCode: type } : {}
  return { number: Number(number), ...typed, start: start * sectorSize, length: size * sectorSize }
}

/** A GPT whose MBR lists more than the protective entry is hybrid. */
async function gptKind(guest: GuestRead | undefined): Promise<'gpt' | 'hybrid'> {
  const sector = await guest?.(0, 512)
  if (sector === undefined || sector.length < 512) return 'gpt'
  const types = [0, 1, 2, 3].map((index) => sector.readUInt8(446 + index * 16 + 4))
  return types.some((type) => type !== 0 && type !== 0xee) ? 'hybrid' : 'gpt'
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new GuestError('unreadable', 'sfdisk did not answer in JSON.')
  }
}

/** Reads the partition table. Throws a GuestError when it cannot be read or is of another kind. */
export async function readTable(tools: Toolbox, whole: Place, guest: GuestRead | undefined): Promise<Table> {
  const result = await tools.run({ tool: 'sfdisk', place: whole, args: ({ image }) => ['--json', image] })
  if (result.code !== 0) {
    if (result.stderr.includes('does not contain a recognized partition table')) return { kind: 'none', entries: [] }
    throw new GuestError('unreadable', 'sfdisk could not read the partition table.')
  }
  const table = member(parse(result.stdout.toString()), 'partitiontable')
  const label = member(table, 'label')
  if (label !== 'dos' && label !== 'gpt')
    throw new GuestError('unsupported', 'The partition table is neither an MBR nor a GPT.')
  const list = member(table, 'partitions')
  const sectorSize = count(member(table, 'sectorsize')) ?? 512
  const entries = (Array.isArray(list) ? list : []).map((value) => entryOf(value, sectorSize))
  if (entries.length > mostEntries)
    throw new GuestError('too-large', `The partition table has more than ${mostEntries} entries.`)
  return {
    kind: label === 'dos' ? 'mbr' : await gptKind(guest),
    entries: entries.sort((one, other) => one.start - other.start || one.number - other.number),
  }
}
