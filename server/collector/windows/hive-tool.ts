import { chown, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Toolbox } from '../tools/toolbox.ts'
import { headerBytes } from './hive.ts'
import type { WithHive } from './hivexsh.ts'

let hives = 0

/** The first bytes of a hive, which tell whether it is one and was closed. */
export async function headOf(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headerBytes), 0, headerBytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/**
 * Runs hivexsh in the toolbox of an image. A hive lies in a folder of its own, which only the programs' user can read, for as long as it is used: SAM
 * holds hashes.
 */
export function hivesIn(toolbox: Toolbox): WithHive {
  return async (hive, use) => {
    hives += 1
    const folder = await toolbox.makeFolder(`hive-${hives}`)
    try {
      const path = join(folder, 'hive')
      await hive(path)
      const head = await headOf(path)
      if (toolbox.identity !== undefined) await chown(path, toolbox.identity.uid, toolbox.identity.gid)
      return await use(async (script) => {
        const { code, stdout, stderr } = await toolbox.run({
          tool: 'hivexsh',
          place: { path },
          files: { script },
          args: (at) => ['-f', `${at.folder}/script`, at.image],
        })
        return { exitCode: code ?? -1, stdout, stderr }
      }, head)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}
