import { createHash } from 'node:crypto'
import type { ListPosition } from '../audit/list-position.ts'
import type { ReadFilter } from '../audit/reads.ts'
import type { VerdictFilter } from '../audit/store.ts'
import { canonicalize } from '../digest.ts'
import { ImagegateError } from '../errors.ts'
import { strictAjv } from '../validators.ts'

/** Names of the filters of a list of verdicts, as they stand in a query. */
export const filterNames = [
  'from',
  'to',
  'outcome',
  'family',
  'osType',
  'osId',
  'imageName',
  'imageDigest',
  'policyVersion',
  'failedRule',
  'missingFact',
  'severity',
  'effect',
  'caller',
  'requestId',
  'text',
] as const satisfies readonly (keyof VerdictFilter)[]

/** Names of the filters of a list of reads. */
export const readFilterNames = [
  'from',
  'to',
  'caller',
  'operation',
  'verdict',
] as const satisfies readonly (keyof ReadFilter)[]

/** Where a list goes on: after a position, with the filters of its first page. */
export interface Cursor<Filter = VerdictFilter> {
  readonly position: ListPosition
  readonly filter: Filter
}

const id = { type: 'string', pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' }
const closed = { type: 'object', additionalProperties: false }
const ajv = strictAjv(false)
const cursorSchema = (names: readonly string[]) => ({
  ...closed,
  required: ['position', 'filter'],
  properties: {
    position: { ...closed, required: ['upTo', 'before'], properties: { upTo: id, before: id } },
    filter: {
      ...closed,
      properties: Object.fromEntries(names.map((name) => [name, { type: 'string', maxLength: 2048 }])),
    },
  },
})
const isCursor = ajv.compile<Cursor>(cursorSchema(filterNames))
const isReadCursor = ajv.compile<Cursor<ReadFilter>>(cursorSchema(readFilterNames))

/**
 * A checksum against mistakes and tinkering, not a signature: whoever computes one gains nothing, because a cursor
 * says only what its caller may ask for anyway. So it holds across restarts and replicas without a shared key.
 */
function checksum(text: string): string {
  return createHash('sha256').update(`imagegate.cursor/1\n${text}`).digest('base64url').slice(0, 22)
}

/** The opaque text of what a list goes on by. */
export function seal(value: unknown): string {
  const text = canonicalize(value)
  return `${Buffer.from(text).toString('base64url')}.${checksum(text)}`
}

function invalid(detail: string): ImagegateError {
  return new ImagegateError('CURSOR_INVALID', detail)
}

/** What was sealed. Throws CURSOR_INVALID for anything else. */
export function unseal(given: string): unknown {
  const [encoded = ''] = given.split('.')
  const text = Buffer.from(encoded, 'base64url').toString('utf8')
  if (given !== `${Buffer.from(text).toString('base64url')}.${checksum(text)}`) {
    throw invalid('The cursor is damaged, or of another service.')
  }
  return JSON.parse(text)
}

/** The cursor's opaque text. */
export function writeCursor(cursor: Cursor<object>): string {
  return seal(cursor)
}

/** Reads a cursor of a list of verdicts. Throws CURSOR_INVALID for anything but what writeCursor made. */
export function readCursor(given: string): Cursor {
  const value = unseal(given)
  if (!isCursor(value)) throw invalid('The cursor is of another list.')
  return value
}

/** The same of a list of reads. */
export function readReadCursor(given: string): Cursor<ReadFilter> {
  const value = unseal(given)
  if (!isReadCursor(value)) throw invalid('The cursor is of another list.')
  return value
}

/** The filters of a page after the first: those of the cursor; given again, they must be the same. */
export function filterOf<Filter extends object>(cursor: Cursor<Filter>, given: Filter): Filter {
  const same = Object.keys(given).length === 0 || canonicalize(given) === canonicalize(cursor.filter)
  if (!same) throw invalid('The cursor was made with other filters.')
  return cursor.filter
}
