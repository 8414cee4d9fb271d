import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { GuestError } from '../guest.ts'
import type { Layout } from '../sniff/result.ts'
import type { Toolbox } from '../tools/toolbox.ts'
import { copyDisk } from './copy.ts'
import { daemonDisk } from './daemon.ts'
import { rawDisk } from './raw.ts'
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
  /** Told of a program that is missing where a slower way is taken without it. */
  readonly onNotice?: ((notice: string) => void) | undefined
}

/** Shows the disk: a raw one as it is, another by FUSE where that works, else as a copy. Throws a GuestError when the time is over. */
export async function openDisk(tools: Toolbox, source: DiskSource): Promise<VirtualDisk> {
  const device = (await stat(source.path)).isBlockDevice()
  // The sandbox shows no devices but by FUSE.
  if (source.layout.driver !== 'raw' || device) return shownDisk(tools, source, device)
  return rawDisk(source.path, source.layout, () => shownDisk(tools, source, device))
}

async function shownDisk(tools: Toolbox, source: DiskSource, device: boolean): Promise<VirtualDisk> {
  const copy = (why: string) => copyDisk(tools, source.path, source.layout, source.fileSizeBytes, why)
  if (source.fuse === 'off') return copy('FUSE is not to be used.')
  const reachable = await access('/dev/fuse', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!reachable) return copy('/dev/fuse cannot be opened.')
  try {
    return await daemonDisk(tools, source.path, source.layout, device)
  } catch (error) {
    // Whatever keeps FUSE from working here, the slower way may still work.
    if (!(error instanceof GuestError) || tools.signal.aborted) throw error
    if (error.code === 'tool-missing')
      source.onNotice?.(
        `${error.message} Without it the disk is copied where it must be shown, which takes room and time.`,
      )
    return copy(error.message)
  }
}
