import { basename, join } from 'node:path'
import { GuestError } from '../guest.ts'
import type { Layout } from '../sniff/result.ts'
import type { Toolbox } from '../tools/toolbox.ts'

/** A range of a disk and where its copy goes. */
export interface RangeCopy {
  readonly image: string
  readonly layout: Layout
  readonly start: number
  readonly length: number
  /** In the toolbox's own directory. */
  readonly path: string
}

/** Options that name the driver of every layer of an image for qemu-img; commas in the path are doubled. */
export function imageOptions(layout: Layout, path: string): string {
  return layout.driver === 'raw' ? file('', path) : `driver=${layout.driver},${file('file.', path)}`
}

const file = (prefix: string, path: string) =>
  `${prefix}driver=file,${prefix}filename=${path.replaceAll(',', ',,')},${prefix}locking=off`

function rangeOptions({ layout, start, length }: RangeCopy, path: string): string {
  const range = `driver=raw,offset=${start},size=${length}`
  if (layout.driver === 'raw') return `${range},${file('file.', path)}`
  return `${range},file.driver=${layout.driver},${file('file.file.', path)}`
}

/** Copies a range of a disk into a sparse file. Throws a GuestError. */
export async function copyRange(tools: Toolbox, copy: RangeCopy): Promise<void> {
  const name = basename(copy.path)
  const result = await tools.run({
    tool: 'qemu-img',
    place: { path: copy.image },
    writes: true,
    keep: { name, path: copy.path },
    args: ({ image, folder }) => [
      ...['convert', '-q', '-t', 'unsafe', '-O', 'raw', '-S', '4k', '--image-opts', rangeOptions(copy, image)],
      join(folder, name),
    ],
    limits: { seconds: 110, fileBytes: copy.length },
  })
  if (result.code !== 0) throw new GuestError('tool-failed', 'qemu-img could not copy the disk.')
}
