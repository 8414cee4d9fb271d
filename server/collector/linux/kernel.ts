import { filePieces, type GuestFiles } from '../guest.ts'

const maxKernelBytes = 64 * 1_048_576
/** As far as the header's 16-bit reference to the release can point, and its text. */
const headerBytes = 0x200 + 0xffff + 128

/** The release that a kernel's file name tells. */
export function releaseOfName(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const release = /^(?:vmlinu[xz]|kernel|bzImage|Image|linux)-([A-Za-z0-9._+~-]{1,127})$/.exec(name)?.[1]
  return release !== undefined && /^\d/.test(release) ? release : undefined
}

/** The release in the set-up header of an x86 kernel. */
export function releaseInHeader(bytes: Buffer): string | undefined {
  if (bytes.length < 0x210 || bytes.toString('latin1', 0x202, 0x206) !== 'HdrS') return undefined
  const at = bytes.readUInt16LE(0x20e) + 0x200
  const text = bytes.toString('latin1', at, Math.min(at + 128, bytes.length))
  return /^[A-Za-z0-9._+~-]{1,127}/.exec(text)?.[0]
}

/** The first bytes of a kernel; undefined when it does not exist. */
async function headOf(files: GuestFiles, path: string): Promise<Buffer | undefined> {
  const pieces = await filePieces(files, path, maxKernelBytes)
  if (pieces === undefined) return undefined
  const head: Buffer[] = []
  let size = 0
  for await (const piece of pieces) {
    head.push(piece)
    size += piece.length
    if (size >= headerBytes) break
  }
  return Buffer.concat(head)
}

/** The release of the kernel at a path: by its name when modules of that name are there, by its header, or by the only modules. */
export async function kernelRelease(files: GuestFiles, path: string): Promise<string | undefined> {
  const named = releaseOfName(path)
  const directories = ((await files.list('/lib/modules')) ?? []).map(({ name }) => name)
  if (named !== undefined && directories.includes(named)) return named
  const bytes = await headOf(files, path).catch(() => undefined)
  const header = bytes && releaseInHeader(bytes)
  const [only] = directories
  return header ?? named ?? (directories.length === 1 ? only : undefined)
}
