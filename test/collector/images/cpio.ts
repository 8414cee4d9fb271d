/** One file of an initramfs. */
export interface ArchivedFile {
  readonly path: string
  readonly content?: Buffer | string
}

function entry(path: string, mode: number, content: Buffer, number: number): Buffer {
  const name = Buffer.from(`${path}\0`)
  const fields = [number, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0]
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`
  const padded = (bytes: Buffer, before: number) => Buffer.alloc(-(before + bytes.length) & 3)
  return Buffer.concat([Buffer.from(head), name, padded(name, head.length), content, padded(content, 0)])
}

/** An archive of the form newc, which the kernel unpacks as its initramfs. */
export function cpio(files: readonly ArchivedFile[]): Buffer {
  const folders = new Set<string>()
  for (const { path } of files) {
    const names = path.split('/').slice(0, -1)
    for (let depth = 1; depth <= names.length; depth++) folders.add(names.slice(0, depth).join('/'))
  }
  const parts = [...folders].map((path, index) => entry(path, 0o40755, Buffer.alloc(0), index + 1))
  for (const [index, { path, content = '' }] of files.entries())
    parts.push(entry(path, 0o100644, Buffer.from(content), folders.size + index + 1))
  return Buffer.concat([...parts, entry('TRAILER!!!', 0, Buffer.alloc(0), 0)])
}
