import { realpath } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Image } from '../documents/facts.ts'
import { checkContainer } from './disk/container-check.ts'
import { openDisk } from './disk/open.ts'
import { missingFrom, readDisk } from './disk/partitions.ts'
import type { Missing, Part } from './part.ts'
import { type OpenBytes, openBytes } from './sniff/bytes.ts'
import { digestOf } from './sniff/digest.ts'
import type { Sniffed } from './sniff/result.ts'
import { sniff } from './sniff/sniff.ts'
import { identityFor } from './tools/identity.ts'
import { timeOver } from './tools/spawn.ts'
import { openToolbox, type Toolbox } from './tools/toolbox.ts'
import { Names } from './volumes/names.ts'
import { openVolumes } from './volumes/open-volumes.ts'
import type { OpenVolume } from './volumes/volume.ts'

/** How an image is opened. */
export interface ImageOptions {
  /** Ends the reading from outside. */
  readonly signal?: AbortSignal
  /** All the time that the image may take until close, 120 by default. Unit: seconds. */
  readonly seconds?: number
  /** SHA-256 of the file: one full read. */
  readonly digest?: boolean
  /** Whether file systems are checked, which is the slowest part; true by default. */
  readonly check?: boolean
  /** Where programs are looked for; the system's folders by default. */
  readonly toolFolders?: readonly string[]
  /** off: do without bwrap, or without FUSE, even where they work. */
  readonly sandbox?: 'auto' | 'off'
  readonly fuse?: 'auto' | 'off'
  /** Told what the operator should know about how it is done. */
  readonly onNotice?: (notice: string) => void
  /** Told of every program that is being waited for, so that what else needs this thread may begin. */
  readonly onProgram?: () => void
}

/** An image whose disk and volumes can be read until it is closed. */
export interface OpenImage {
  readonly image: Part
  readonly disk: Part
  /** In the order of the volumes section. Their checks go on. */
  readonly volumes: readonly OpenVolume[]
  /** False when volumes may be missing from the list: then the section is left out. */
  readonly volumesComplete: boolean
  /** Why what is absent is absent; pointers of volumes count in the order of the list. */
  readonly missing: readonly Missing[]
  /** For programs that work on what was read from a guest. */
  readonly tools: Toolbox
  /** Whether programs ran in a sandbox, and how the disk was shown; for people. */
  readonly conditions: { readonly sandboxed: boolean; readonly disk?: string }
  /** Ends every program and removes every temporary file. Tells whether the file stayed as it was while it was read. */
  close(): Promise<{ readonly unchanged: boolean }>
}

type Contents = Pick<OpenImage, 'disk' | 'volumes' | 'volumesComplete' | 'missing'> & {
  readonly shown?: string
  readonly close: () => Promise<void>
}

const nothing = (missing: readonly Missing[]): Contents => ({
  disk: { facts: {}, method: 'not read' },
  volumes: [],
  volumesComplete: false,
  missing,
  close: async () => undefined,
})

async function openContents(tools: Toolbox, path: string, sniffed: Sniffed, options: ImageOptions): Promise<Contents> {
  const { layout, refusal, guest, image } = sniffed
  if (refusal || layout === undefined) {
    const code = refusal?.code ?? 'unsupported'
    const reason = refusal?.reason ?? 'The format is not read.'
    const pointers = [...(image.format === undefined ? ['/image/format'] : []), '/disk', '/volumes']
    return nothing(pointers.map((pointer) => ({ pointer, code, reason })))
  }
  try {
    const fileSizeBytes = image.fileSizeBytes ?? 0
    const { fuse, onNotice } = options
    const disk = await openDisk(tools, { path, fileSizeBytes, layout, fuse, onNotice })
    try {
      const contents = await readDisk(tools, disk, guest)
      const context = { tools, disk, names: new Names(), check: options.check ?? true, guest }
      const found = await openVolumes(context, contents.ranges)
      const known = contents.facts.partitions !== undefined
      return {
        disk: { facts: { disk: contents.facts }, method: `sfdisk --json and blkid -p, by ${disk.method}` },
        volumes: found.volumes,
        volumesComplete: found.complete && known,
        missing: [...contents.missing, ...found.missing],
        shown: disk.method,
        close: () => disk.close(),
      }
    } catch (error) {
      await disk.close()
      throw error
    }
  } catch (error) {
    return nothing([missingFrom(error, '/disk'), missingFrom(error, '/volumes')])
  }
}

async function readImage(
  file: OpenBytes,
  name: string,
  sniffed: Sniffed,
  tools: Toolbox,
  path: string,
  options: ImageOptions,
): Promise<{ readonly part: Part; readonly missing: readonly Missing[] }> {
  const missing: Missing[] = []
  const attempt = async <Value>(pointer: string, task: () => Promise<Value>): Promise<Value | undefined> => {
    try {
      return await task()
    } catch (error) {
      missing.push(missingFrom(tools.signal.aborted ? timeOver() : error, pointer))
      return undefined
    }
  }
  const [digest, check] = await Promise.all([
    options.digest ? attempt('/image/digest', () => digestOf(file, tools.signal)) : undefined,
    attempt('/image/container/check', () => checkContainer(tools, path, sniffed)),
  ])
  const { container } = sniffed.image
  const image: Image = {
    name,
    ...sniffed.image,
    ...(container ? { container: { ...container, ...(check ? { check } : {}) } } : {}),
    ...(digest ? { digest } : {}),
  }
  return { part: { facts: { image }, method: 'the bytes of the container, and qemu-img check for QCOW2' }, missing }
}

/**
 * Opens an image read-only and reads what its container, disk and file systems tell. Whatever fails stands in missing and
 * the rest goes on. Throws only when the file itself cannot be read: the system's error, or a GuestError (refused).
 */
export async function openImage(path: string, options: ImageOptions = {}): Promise<OpenImage> {
  const real = await realpath(path)
  const file = await openBytes(real)
  const limit = AbortSignal.timeout((options.seconds ?? 120) * 1000)
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit
  const { toolFolders: folders, sandbox, onProgram } = options
  // What an image is, and what programs can do here, is found out side by side.
  const toolbox = (async () => {
    const identity = await identityFor(real)
    const found = { ...(folders ? { folders } : {}), ...(sandbox ? { sandbox } : {}) }
    return openToolbox({ identity, signal, onProgram, ...found })
  })()
  toolbox.catch(() => undefined)
  try {
    const sniffed = await sniff(file)
    const box = await toolbox
    const name = basename(path).slice(0, 255)
    // Everything waits for the disk, and nothing for the check of the container.
    const [contents, image] = await Promise.all([
      openContents(box, real, sniffed, options),
      readImage(file, name, sniffed, box, real, options),
    ])
    const close = async () => {
      await box.stop()
      await contents.close()
      await box.close()
      const unchanged = await file.unchanged().catch(() => false)
      await file.close()
      return { unchanged }
    }
    return {
      image: image.part,
      disk: contents.disk,
      volumes: contents.volumes,
      volumesComplete: contents.volumesComplete,
      missing: [...image.missing, ...contents.missing],
      tools: box,
      conditions: { sandboxed: box.sandboxed, ...(contents.shown ? { disk: contents.shown } : {}) },
      close,
    }
  } catch (error) {
    await toolbox.then((box) => box.close()).catch(() => undefined)
    await file.close()
    throw error
  }
}
