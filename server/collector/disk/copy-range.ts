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

/** Image options for qemu-img: every driver is named, and commas in the path are doubled. */
export function imageOptions({ layout, start, length }: RangeCopy, path: string): string {
  const filename = path.replaceAll(',', ',,')
  const range = `driver=raw,offset=${start},size=${length}`
  if (layout.driver === 'raw') return `${range},file.driver=file,file.filename=${filename},file.locking=off`
  return `${range},file.driver=${layout.driver},file.file.driver=file,file.file.filename=${filename},file.file.locking=off`
}

/** Copies a range of a disk into a sparse file. Throws a GuestError. */
export async function copyRange(tools: Toolbox, copy: RangeCopy): Promise<void> {
  const name = basename(copy.path)
  const result = await tools.run({
    tool: 'qemu-img',
    place: { path: copy.image },
    keep: { name, path: copy.path },
    args: ({ image, folder }) => [
      ...['convert', '-q', '-t', 'unsafe', '-O', 'raw', '-S', '4k', '--image-opts', imageOptions(copy, image)],
      join(folder, name),
    ],
    limits: { seconds: 110, fileBytes: copy.length },
  })
  if (result.code !== 0) throw new GuestError('tool-failed', 'qemu-img could not copy the disk.')
}
