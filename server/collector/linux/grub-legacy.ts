import type { BootEntry, DefaultBoot } from './boot-entry.ts'
import { contentLines, wordsOf } from './text.ts'

const maxEntries = 1024

/** Reads menu.lst or grub.conf. An entry below XEN's hypervisor has its kernel and initramfs as modules. */
export function readMenuLst(text: string, saved: string | undefined): DefaultBoot {
  const entries: { title: string; kernel?: string; words: string[]; initramfs: string[] }[] = []
  let chosen = '0'
  let fallback = '0'
  for (const line of contentLines(text)) {
    const [command = '', ...rest] = wordsOf(line.replace(/^(default|fallback|timeout)\s*=\s*/, '$1 '))
    const entry = entries.at(-1)
    if (command === 'default') chosen = rest[0] ?? '0'
    else if (command === 'fallback') fallback = rest[0] ?? '0'
    else if (command === 'title' && entries.length < maxEntries) {
      entries.push({ title: rest.join(' '), words: [], initramfs: [] })
    } else if (entry && command === 'kernel') {
      const [path, ...words] = rest.filter((word) => !word.startsWith('--'))
      if (path !== undefined) Object.assign(entry, { kernel: path, words })
    } else if (entry && (command === 'module' || command === 'initrd')) {
      const [path, ...words] = rest
      const hypervisor = /\/xen[^/]*$/.test(entry.kernel ?? '')
      if (path !== undefined && command === 'module' && hypervisor) Object.assign(entry, { kernel: path, words })
      else if (path !== undefined) entry.initramfs.push(path)
    }
  }
  const all: BootEntry[] = entries.map(({ title, kernel, words, initramfs }) => ({
    title,
    ids: [],
    kernel,
    initramfs,
    words,
  }))
  const number = chosen === 'saved' ? (saved?.trim().split('\n')[0] ?? '0') : chosen
  const at = (index: string) => (/^\d{1,4}$/.test(index) ? all[Number(index)] : undefined)
  return { entry: at(number) ?? at(fallback) ?? all[0], entries: all }
}
