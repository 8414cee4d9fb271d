import type { GuestEntry, GuestStat } from '../guest.ts'
import { GuestError } from '../guest.ts'

const kinds: Readonly<Record<string, GuestStat['kind']>> = { regular: 'file', directory: 'directory', symlink: 'link' }

/** Reads what debugfs prints for stat. Undefined when it printed nothing, for which standard error gives the reason. */
export function parseExtStat(text: string): GuestStat | undefined {
  const [, type, mode, flags] = /^Inode: \d+ +Type: (.+?) +Mode: +(\d+) +Flags: 0x([0-9a-f]+)$/m.exec(text) ?? []
  if (type === undefined || mode === undefined || flags === undefined) return undefined
  const bits = Number.parseInt(flags, 16)
  const kind = kinds[type] ?? 'other'
  const [, target] = kind === 'link' ? (/^Fast link dest: "([\s\S]*)"\n*$/m.exec(text) ?? []) : []
  return {
    kind,
    sizeBytes: Number(/^User: .*Size: (\d+)$/m.exec(text)?.[1] ?? 0),
    mode: Number.parseInt(mode, 8) & 0o7777,
    immutable: (bits & 0x10) !== 0,
    appendOnly: (bits & 0x20) !== 0,
    ...(target === undefined ? {} : { target }),
  }
}

const fileTypes: Readonly<Record<string, GuestStat['kind']>> = { '10': 'file', '04': 'directory', '12': 'link' }

/** Reads what debugfs prints for ls -p; a name with a line break in it is nothing that anybody looks for. */
export function parseExtList(text: string): GuestEntry[] {
  const entries: GuestEntry[] = []
  for (const line of text.split('\n')) {
    const [, inode, type = '', name = ''] = /^\/(\d+)\/(\d\d)\d{4}\/\d+\/\d+\/([^/]+)\/\d*\/$/.exec(line) ?? []
    if (inode === undefined || inode === '0' || name === '.' || name === '..') continue
    entries.push({ name, kind: fileTypes[type] ?? 'other' })
  }
  return entries
}

/** What an empty answer means: nothing there, or an error. */
export function extAbsence(problem: string): undefined | GuestError {
  if (/File not found by ext2_lookup|Ext2 inode is not a directory/.test(problem)) return undefined
  return new GuestError('unreadable', 'debugfs could not read the file system there.')
}
