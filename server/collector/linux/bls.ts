import type { GuestFiles } from '../guest.ts'
import type { BootEntry } from './boot-entry.ts'
import type { GrubVariables } from './grub-variables.ts'
import { atMost, contentLines, readText, wordsOf } from './text.ts'

const maxEntries = 128

/** One file of the boot loader specification. */
export interface SpecifiedFile {
  readonly name: string
  readonly text: string
}

/** Compares as rpm compares versions: runs of digits by value, runs of letters by order, digits above letters. */
export function compareVersions(a: string, b: string): number {
  const parts = (text: string) => text.match(/\d+|[A-Za-z]+|~/g) ?? []
  const [left, right] = [parts(a), parts(b)]
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const [x, y] = [left[at], right[at]]
    if (x === y) continue
    if (x === '~' || y === '~') return x === '~' ? -1 : 1
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1
    const [digitsX, digitsY] = [/^\d/.test(x), /^\d/.test(y)]
    if (digitsX !== digitsY) return digitsX ? 1 : -1
    if (!digitsX) return x < y ? -1 : 1
    const [numberX, numberY] = [x.replace(/^0+/, ''), y.replace(/^0+/, '')]
    if (numberX.length !== numberY.length) return numberX.length - numberY.length
    if (numberX !== numberY) return numberX < numberY ? -1 : 1
  }
  return 0
}

/** The files of the directories in which entries may stand, the newest kernel first, as GRUB and systemd-boot order them. */
export async function specifiedFiles(files: GuestFiles, directories: readonly string[]): Promise<SpecifiedFile[]> {
  for (const directory of directories) {
    const entries = (await files.list(directory)) ?? []
    const own = entries.map(({ name }) => name).filter((name) => name.endsWith('.conf'))
    const names = atMost(maxEntries, 'entries of the boot loader', own)
    if (names.length === 0) continue
    const texts = await Promise.all(names.map((name) => readText(files, `${directory}/${name}`)))
    const found = names.flatMap((name, index) => {
      const text = texts[index]
      return text === undefined ? [] : [{ name: name.slice(0, -5), text }]
    })
    return found.sort((a, b) => compareVersions(b.name, a.name))
  }
  return []
}

/** The entry that a file states; options take variables from grub.cfg and grubenv. */
export function specifiedEntry({ name, text }: SpecifiedFile, variables: GrubVariables): BootEntry {
  const lines = contentLines(text).map((line) => {
    const at = line.search(/\s/)
    return at < 0 ? ([line, ''] as const) : ([line.slice(0, at), line.slice(at).trim()] as const)
  })
  const values = (key: string) => lines.filter(([own]) => own === key).map(([, value]) => variables.expand(value))
  const initramfs = values('initrd').flatMap(wordsOf)
  return {
    title: values('title').at(-1) ?? name,
    ids: [name, `${name}.conf`, ...values('id'), ...values('version')],
    kernel: values('linux').at(-1),
    initramfs,
    words: values('options').flatMap(wordsOf),
  }
}
