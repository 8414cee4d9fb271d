import { constants, createGunzip } from 'node:zlib'
import type { Pieces } from '../guest.ts'
import { streamed } from './packed-names.ts'

/** Fits into a processor's own memory, which is what makes it quick. Unit: bytes. */
const memoryBytes = 262_144

/** The two halves of one of Node's zlib streams by which it works at once, as packages do that need it so. */
interface Engine {
  readonly write: (flush: number, input: Buffer, at: number, length: number, output: Buffer) => void
  /** Behind each write: how much of the output is left, and of the input. */
  readonly left: Uint32Array
}

/** Undefined where this Node has other streams than are known. */
function engineOf(stream: object): Engine | undefined {
  const handle: unknown = Reflect.get(stream, '_handle')
  const left: unknown = Reflect.get(stream, '_writeState')
  const write: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'writeSync') : undefined
  if (typeof write !== 'function' || !(left instanceof Uint32Array)) return undefined
  return {
    write: (flush, input, at, length, output) =>
      void Reflect.apply(write, handle, [flush, input, at, length, output, 0, output.length]),
    left,
  }
}

/**
 * Undoes gzip at once and into one memory: what a stream gives goes through other threads and into new memory each time, which takes
 * a third longer. So it is for a thread that does nothing else, and a buffer holds only until the next one is asked for. Rejects with zlib's error.
 */
export async function* gunzipped(pieces: Pieces): AsyncGenerator<Buffer, void, void> {
  const stream = createGunzip({ chunkSize: memoryBytes })
  const engine = engineOf(stream)
  if (engine === undefined) {
    yield* streamed(pieces, stream)
    return
  }
  // It is looked for behind each write.
  stream.on('error', () => undefined)
  const memory = Buffer.alloc(memoryBytes)
  const undo = function* (input: Buffer, flush: number): Generator<Buffer, number, void> {
    let [room, left]: [number, number] = [0, input.length]
    while (room === 0) {
      engine.write(flush, input, input.length - left, left, memory)
      if (stream.errored) throw stream.errored
      room = engine.left[0] ?? 0
      left = engine.left[1] ?? 0
      if (room < memoryBytes) yield memory.subarray(0, memoryBytes - room)
    }
    return left
  }
  try {
    // What is not taken stands behind the end and is no part of it, as in a stream.
    for await (const piece of pieces) if ((yield* undo(piece, constants.Z_NO_FLUSH)) > 0) return
    yield* undo(Buffer.alloc(0), constants.Z_FINISH)
  } finally {
    stream.close()
  }
}
