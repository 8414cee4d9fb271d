import type { BootEntry, DefaultBoot } from './boot-entry.ts'
import { contentLines, unquote, wordsOf } from './text.ts'

/** Reads lilo.conf: global settings, then one section for each image. */
export function readLilo(text: string): DefaultBoot {
  const entries: { title: string; kernel: string; words: string[]; initramfs: string[] }[] = []
  let chosen = ''
  for (const line of contentLines(text)) {
    const match = /^([a-z-]+)\s*=\s*(.*)$/.exec(line)
    const [key, value] = [match?.[1], unquote(match?.[2] ?? '')]
    const entry = entries.at(-1)
    if (key === 'image') entries.push({ title: '', kernel: value, words: [], initramfs: [] })
    else if (key === 'default') chosen = value
    else if (entry && key === 'label') entry.title = value
    else if (entry && key === 'initrd') entry.initramfs.push(value)
    else if (entry && (key === 'append' || key === 'addappend')) entry.words.push(...wordsOf(value))
  }
  const all: BootEntry[] = entries.map((entry) => ({ ...entry, ids: [] }))
  return { entry: all.find(({ title }) => title === chosen) ?? all[0], entries: all }
}
