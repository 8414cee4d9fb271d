import { GuestError } from '../guest.ts'
import type { Place } from '../tools/place.ts'
import type { Toolbox } from '../tools/toolbox.ts'

/** One file system as grub-fstest names it, for example (loop0) or (lvm/vg-root). */
export interface GrubDevice {
  readonly tools: Toolbox
  readonly place: () => Promise<Place>
  readonly device: string
}

/** Content of a file, links followed by GRUB; undefined when there is none. Throws a GuestError. */
export async function grubRead(grub: GrubDevice, path: string, maxBytes: number): Promise<Buffer | undefined> {
  const result = await grub.tools.run({
    tool: 'grub-fstest',
    place: await grub.place(),
    args: ({ image }) => [image, 'cat', `${grub.device}${path}`],
    limits: { stdoutBytes: maxBytes },
  })
  if (result.code === 0 && result.stderr === '') return result.stdout
  if (/: (file `[^']*' not found|not a directory)\.\n$/.test(result.stderr)) return undefined
  throw new GuestError('unreadable', 'grub-fstest could not read a file.')
}

/** What grub-fstest lists of a directory: names, and whether each is a directory. A missing directory lists as empty. */
export async function grubList(grub: GrubDevice, path: string): Promise<ReadonlyMap<string, number | 'directory'>> {
  const result = await grub.tools.run({
    tool: 'grub-fstest',
    place: await grub.place(),
    args: ({ image }) => [image, 'ls', '--', '-l', '-a', `${grub.device}${path.replace(/\/*$/, '/')}`],
  })
  if (result.code !== 0 || result.stderr !== '')
    throw new GuestError('unreadable', 'grub-fstest could not read a directory.')
  const entries = new Map<string, number | 'directory'>()
  for (const line of result.stdout.toString().split('\n')) {
    const [, size, name] = /^(DIR|\d+) +\d{14} (.+)$/.exec(line) ?? []
    if (size === undefined || name === undefined || name === './' || name === '../') continue
    if (size === 'DIR') entries.set(name.replace(/\/$/, ''), 'directory')
    else entries.set(name, Number(size))
  }
  return entries
}
