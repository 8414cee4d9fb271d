import { ImagegateError } from './errors.ts'

/** One line of a stream, without its line break, or what is wrong with it. Lines count from 1. */
export type Line = { readonly line: number } & ({ readonly bytes: Buffer } | { readonly error: ImagegateError })

const lineFeed = 0x0a
const blanks = new Set([0x09, 0x0d, 0x20])

/** Gathers the parts of one line, up to a limit. */
class LineBuffer {
  readonly maxBytes: number
  line = 1
  #size = 0
  #parts: Buffer[] = []

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  add(part: Buffer): void {
    this.#size += part.length
    if (this.#size > this.maxBytes) this.#parts = []
    else if (part.length > 0) this.#parts.push(part)
  }

  /** Ends the line; undefined for a blank one. */
  take(): Line | undefined {
    const bytes = Buffer.concat(this.#parts)
    const error = new ImagegateError('BODY_TOO_LARGE', `A line has at most ${this.maxBytes} bytes.`)
    const line = this.line
    const taken = this.#size > this.maxBytes ? { line, error } : { line, bytes }
    const blank = this.#size <= this.maxBytes && bytes.every((byte) => blanks.has(byte))
    this.line += 1
    this.#size = 0
    this.#parts = []
    return blank ? undefined : taken
  }
}

function* completeLines(buffer: LineBuffer, chunk: Buffer): Generator<Line, void, void> {
  let start = 0
  for (let at = chunk.indexOf(lineFeed); at !== -1; at = chunk.indexOf(lineFeed, start)) {
    buffer.add(chunk.subarray(start, at))
    start = at + 1
    const taken = buffer.take()
    if (taken !== undefined) yield taken
  }
  buffer.add(chunk.subarray(start))
}

/**
 * Splits a stream into lines and holds at most one line of the limit at a time. Blank lines are counted and left out;
 * one above the limit is told as BODY_TOO_LARGE. When the chunks end with an ImagegateError it stands in the last line.
 */
export async function* splitLines(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line, void, void> {
  const buffer = new LineBuffer(maxBytes)
  try {
    for await (const chunk of chunks) yield* completeLines(buffer, chunk)
  } catch (error) {
    if (!(error instanceof ImagegateError)) throw error
    yield { line: buffer.line, error }
    return
  }
  const last = buffer.take()
  if (last !== undefined) yield last
}
