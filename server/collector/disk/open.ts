import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { GuestError } from '../guest.ts'
import type { Layout } from '../sniff/result.ts'
import type { Toolbox } from '../tools/toolbox.ts'
import { copyDisk } from './copy.ts'
import { daemonDisk } from './daemon.ts'
import type { VirtualDisk } from './virtual-disk.ts'

/** The image to show, already sniffed. */
export interface DiskSource {
  /** Absolute path. */
  readonly path: string
  /** Unit: bytes. */
  readonly fileSizeBytes: number
  readonly layout: Layout
  /** off: do without FUSE even where it works. */
  readonly fuse?: 'auto' | 'off' | undefined
}

/** Shows the disk by FUSE where that works, else by offset or as a copy. Throws a GuestError when the time is over. */
export async function openDisk(tools: Toolbox, source: DiskSource): Promise<VirtualDisk> {
  const copy = () => copyDisk(tools, source.path, source.layout, source.fileSizeBytes)
  if (source.fuse === 'off') return copy()
  const reachable = await access('/dev/fuse', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!reachable) return copy()
  const device = (await stat(source.path)).isBlockDevice()
  try {
    return await daemonDisk(tools, source.path, source.layout, device)
  } catch (error) {
    // Whatever keeps FUSE from working here, the slower way may still work.
    if (error instanceof GuestError && !tools.signal.aborted) return copy()
    throw error
  }
}
