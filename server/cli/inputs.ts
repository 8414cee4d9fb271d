import { createReadStream } from 'node:fs'
import { ImagegateError } from '../errors.ts'
import { maxDocumentBytes } from '../facts/parse.ts'
import { splitLines } from '../lines.ts'
import type { Place } from './report-answer.ts'
import type { Terminal } from './terminal.ts'

/** One document of the input, or why it cannot be read. */
export interface Input extends Place {
  readonly content: Uint8Array | ImagegateError
}

function unreadable(file: string, cause: unknown): ImagegateError {
  const code = cause instanceof Error ? String(Reflect.get(cause, 'code') ?? cause.message) : 'unknown'
  const name = file === '-' ? 'Standard input' : file
  return new ImagegateError('FILE_UNREADABLE', `${name} cannot be read (${code}).`, { cause })
}

/** The bytes of a file, or of standard input for -. Throws FILE_UNREADABLE. */
export async function* chunksOf(file: string, terminal: Terminal): AsyncGenerator<Buffer, void, void> {
  try {
    for await (const chunk of file === '-' ? terminal.stdin : createReadStream(file)) {
      yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    }
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

/** One document's bytes. An image given by mistake is not read further than a document may be long. */
async function wholeFile(file: string, terminal: Terminal): Promise<Uint8Array | ImagegateError> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of chunksOf(file, terminal)) {
      size += chunk.length
      if (size > maxDocumentBytes) {
        const detail = `More than ${maxDocumentBytes} bytes: a document of facts is expected, not an image.`
        return new ImagegateError('BODY_TOO_LARGE', detail)
      }
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof ImagegateError) return error
    throw error
  }
  return Buffer.concat(chunks, size)
}

/** Whether a file has one document a line. */
export function isNdjson(file: string, forced: boolean): boolean {
  return forced || file.endsWith('.ndjson')
}

/** Every document of the files, in order, read one at a time; what cannot be read stands in its place. */
export async function* readInputs(
  files: readonly string[],
  ndjson: boolean,
  terminal: Terminal,
): AsyncGenerator<Input, void, void> {
  for (const file of files) {
    if (!isNdjson(file, ndjson)) yield { file, content: await wholeFile(file, terminal) }
    else {
      for await (const given of splitLines(chunksOf(file, terminal), maxDocumentBytes)) {
        yield { file, line: given.line, content: 'error' in given ? given.error : given.bytes }
      }
    }
  }
}
