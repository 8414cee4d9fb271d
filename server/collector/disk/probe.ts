import { GuestError } from '../guest.ts'
import type { Place } from '../tools/place.ts'
import type { Toolbox } from '../tools/toolbox.ts'

/** What blkid recognises in a range of the disk. Everything is text of the guest. */
export interface Probe {
  /** As blkid names it: ext4, crypto_LUKS, LVM2_member …; undefined for nothing. */
  readonly type?: string
  /** filesystem, raid, crypto or other. */
  readonly usage?: string
  readonly version?: string
  readonly label?: string
  readonly uuid?: string
  /** A partition table stands in the range. */
  readonly table?: string
}

/** Undoes the \xNN of blkid's encoded values. */
function decode(text: string): string {
  const bytes = Buffer.from(text).toString('latin1')
  const plain = bytes.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(plain, 'latin1').toString()
}

const members = {
  ID_FS_TYPE: 'type',
  ID_FS_USAGE: 'usage',
  ID_FS_VERSION: 'version',
  ID_FS_LABEL_ENC: 'label',
  ID_FS_UUID_ENC: 'uuid',
  ID_PART_TABLE_TYPE: 'table',
} as const

function isMember(name: string): name is keyof typeof members {
  return name in members
}

/** Reads blkid's answer for udev, whose encoded values cannot forge a line. */
export function parseProbe(text: string): Probe {
  const probe: Partial<Record<(typeof members)[keyof typeof members], string>> = {}
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^([A-Z_]+)=(.*)$/.exec(line) ?? []
    if (isMember(name)) probe[members[name]] ??= decode(value)
  }
  return probe
}

/** Asks blkid what a range holds; an empty answer is nothing. Throws a GuestError when it cannot tell. */
export async function probeRange(tools: Toolbox, whole: Place, start: number, length: number): Promise<Probe> {
  const result = await tools.run({
    tool: 'blkid',
    place: whole,
    args: ({ image }) => ['-p', '-O', String(start), '-S', String(length), '-o', 'udev', image],
  })
  if (result.code === 0) return parseProbe(result.stdout.toString())
  if (result.code === 2) return {}
  if (result.code === 8) throw new GuestError('unreadable', 'Signatures of several kinds of content stand there.')
  throw new GuestError('unreadable', 'blkid could not read it.')
}
