import pg from 'pg'
import { fromText, toText } from './postgres-text.ts'

/**
 * SQL of the server's time in milliseconds since 1970. What replicas share is aged by it: their own clocks may be apart,
 * and one that is days ahead would age everybody's. It is the same in a whole statement, so that an index is used for it.
 */
export const serverTime = 'floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint'

const textType = 25

/**
 * A list for a parameter of type text[], in PostgreSQL's binary form: bodies need no escaping here and no parsing there.
 * A null stays one.
 */
export function textArray(values: readonly (string | null)[]): Buffer {
  const encoded = values.map((value) => (value === null ? undefined : Buffer.from(toText(value))))
  const size = encoded.reduce((sum, bytes) => sum + 4 + (bytes?.length ?? 0), 20)
  const buffer = Buffer.allocUnsafe(size)
  // One dimension, its flag of nulls, the type of elements, how many, and that they count from 1.
  const head = [1, encoded.includes(undefined) ? 1 : 0, textType, encoded.length, 1]
  let at = 0
  for (const word of head) at = buffer.writeInt32BE(word, at)
  for (const bytes of encoded) {
    at = buffer.writeInt32BE(bytes?.length ?? -1, at)
    if (bytes !== undefined) at += bytes.copy(buffer, at)
  }
  return buffer
}

function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw new RangeError('The database holds a number above 2^53.')
  return number
}

const { INT8, TEXT } = pg.types.builtins

/** How values of columns arrive: a bigint is a number, a text as toText was given it. */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser(type: number, format?: 'text' | 'binary') {
    if (format === 'binary') return pg.types.getTypeParser(type, 'binary')
    if (type === INT8) return wholeNumber
    if (type === TEXT) return fromText
    return pg.types.getTypeParser(type, 'text')
  },
}
