import type { BootEntry, DefaultBoot } from './boot-entry.ts'
import { contentLines, wordsOf } from './text.ts'

/** Reads extlinux.conf. Paths without a slash in front stand beside the file. */
export function readExtlinux(text: string, base: string): DefaultBoot {
  const entries: { title: string; kernel?: string; words: string[]; initramfs: string[]; menuDefault: boolean }[] = []
  let chosen = ''
  const absolute = (path: string) => (path.startsWith('/') ? path : `${base}/${path}`)
  for (const line of contentLines(text)) {
    const [word = '', ...rest] = wordsOf(line)
    const command = word.toLowerCase()
    const entry = entries.at(-1)
    if (command === 'default' || command === 'ontimeout') chosen = rest[0] ?? ''
    else if (command === 'label') entries.push({ title: rest.join(' '), words: [], initramfs: [], menuDefault: false })
    else if (entry && (command === 'kernel' || command === 'linux') && rest[0] !== undefined)
      entry.kernel = absolute(rest[0])
    else if (entry && command === 'append') {
      const inline = rest.filter((one) => one.startsWith('initrd=')).flatMap((one) => one.slice(7).split(','))
      entry.initramfs.push(...inline.map(absolute))
      entry.words = rest
    } else if (entry && command === 'initrd')
      entry.initramfs.push(...rest.flatMap((one) => one.split(',')).map(absolute))
    else if (entry && command === 'menu' && rest[0]?.toLowerCase() === 'default') entry.menuDefault = true
  }
  const all: BootEntry[] = entries.map(({ title, kernel, words, initramfs }) => ({
    title,
    ids: [],
    kernel,
    initramfs,
    words,
  }))
  const named = all.find(({ title }) => title === chosen)
  const marked = all[entries.findIndex(({ menuDefault }) => menuDefault)]
  return { entry: marked ?? named ?? all[0], entries: all }
}
