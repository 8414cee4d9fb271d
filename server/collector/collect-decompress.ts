import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GuestError } from './guest.ts'
import type { Compression, Decompress } from './linux/input.ts'
import type { ToolName } from './tools/table.ts'
import type { Toolbox } from './tools/toolbox.ts'

/** What a whole initramfs may become. Unit: bytes. */
const largestUnpacked = 1_073_741_824

/** Each program takes its own ending off the name of the file that it unpacks. */
const programs = {
  zstd: { tool: 'zstd', ending: 'zst', args: ['-d', '-q', '-k'] },
  xz: { tool: 'xz', ending: 'xz', args: ['-d', '-q', '-Q', '-k', '--format=xz'] },
  lzma: { tool: 'xz', ending: 'lzma', args: ['-d', '-q', '-Q', '-k', '--format=lzma'] },
  bzip2: { tool: 'bzip2', ending: 'bz2', args: ['-d', '-q', '-k'] },
  lzo: { tool: 'lzop', ending: 'lzo', args: ['-d', '-q', '-k'] },
} as const satisfies Record<Compression, { tool: ToolName; ending: string; args: readonly string[] }>

const unpackedName = 'initramfs'

/**
 * Unpacks in the toolbox of an image, from a file to a file and not in memory: an initramfs may become several hundred megabytes. The
 * file is gone when whoever reads it stops. Rejects with a GuestError.
 */
export function decompressIn(tools: Toolbox): Decompress {
  let count = 0
  return async function* unpack(compression, packed) {
    const { tool, ending, args } = programs[compression]
    count += 1
    const folder = await tools.makeFolder(`unpacked-${count}`)
    const path = join(folder, unpackedName)
    const name = `${unpackedName}.${ending}`
    try {
      const { code } = await tools.run({
        tool,
        files: { [name]: packed },
        writes: true,
        args: (at) => [...args, `${at.folder}/${name}`],
        keep: { name: unpackedName, path },
        limits: { fileBytes: largestUnpacked },
      })
      if (code !== 0) throw new GuestError('damaged', `${tool} could not unpack the initramfs.`)
      for await (const chunk of createReadStream(path))
        yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}
