import { Worker } from 'node:worker_threads'
import { GuestError, type Pieces } from '../guest.ts'
import type { OwnCompression } from './packed-names.ts'
import type { UnpackAnswer, UnpackRequest } from './unpack-worker.ts'

// The build makes one file of it that is no module, which a thread is quicker to start from.
const entry = new URL(import.meta.url.endsWith('.ts') ? './unpack-worker.ts' : './unpack-worker.cjs', import.meta.url)

/** Pieces that wait in the thread, so that it goes on while ours does something else. */
const mostAhead = 3

/** A megabyte of names is more than any initramfs has; contents are no part of this. Unit: mebibytes. */
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }

let spare: Worker | undefined

function start(): Worker {
  // An error ends it, too.
  return new Worker(entry, { name: 'initramfs', resourceLimits }).on('error', () => undefined)
}

/** The spare thread, or a new one. */
function take(): Worker {
  const worker = spare ?? start()
  spare = undefined
  worker.ref()
  return worker
}

/** A file that holds less has no initramfs for which a thread pays, nor has such a volume. Unit: bytes. */
export const largeSystem = 209_715_200

/**
 * Starts a thread before it is known whether one is needed, so that it is ready by then. It keeps no process from ending, and the next
 * archive has it.
 */
export function startEarly(): void {
  if (spare !== undefined) return
  const worker = start()
  worker.unref()
  worker.once('exit', () => {
    if (spare === worker) spare = undefined
  })
  spare = worker
}

/** Bytes in a memory of their own, which can be handed over. */
function owned(piece: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = piece
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(piece)
}

/**
 * Unpacks an initramfs in a thread of its own, because what decides how long an image takes should not wait for what else is
 * done. It takes some time to start, so it is made before it is needed. One archive at a time.
 */
export class UnpackThread {
  readonly #worker = take()
  readonly #gone = new Promise<void>((resolve) => {
    this.#worker.once('exit', () => resolve())
  })

  /** The names in a compressed archive. Rejects with a GuestError, and with what reading the pieces rejects with. */
  async names(compression: OwnCompression, pieces: Pieces): Promise<string[]> {
    const worker = this.#worker
    let ahead = 0
    let over = false
    let wake: () => void = () => undefined
    const answer = new Promise<string[]>((resolve, reject) => {
      const hear = (said: UnpackAnswer) => {
        if (said.kind === 'taken') ahead -= 1
        else {
          over = true
          worker.off('message', hear)
          if (said.kind === 'names') resolve([...said.names])
          else reject(new GuestError(said.code, said.reason))
        }
        wake()
      }
      worker.on('message', hear)
      void this.#gone.then(() => {
        over = true
        reject(new GuestError('too-large', 'The thread that unpacks an initramfs has died.'))
        wake()
      })
    })
    // When reading the pieces fails, nobody waits for it.
    answer.catch(() => undefined)
    const tell = (request: UnpackRequest, given: ArrayBuffer[] = []) => worker.postMessage(request, given)
    tell({ kind: 'begin', compression })
    for await (const piece of pieces) {
      while (ahead >= mostAhead && !over) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (over) break
      ahead += 1
      const bytes = owned(piece)
      tell({ kind: 'piece', bytes }, [bytes.buffer])
    }
    if (!over) tell({ kind: 'end' })
    return answer
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}
