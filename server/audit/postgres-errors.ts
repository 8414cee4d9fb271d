import pg from 'pg'
import { ImagegateError } from '../errors.ts'

/** The SQLSTATE, if the error is PostgreSQL's. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/**
 * True when one record is at fault and not the database: a value it cannot hold (22), a broken constraint or a trigger's
 * refusal (23), or something beyond a limit of the program, such as an index's longest row (54).
 */
export function isRefusal(error: unknown): boolean {
  return /^(22|23|54)/.test(sqlState(error) ?? '')
}

/** True when the same transaction, tried again, may well succeed: a deadlock or a serialization failure. */
export function isTransient(error: unknown): boolean {
  return ['40P01', '40001'].includes(sqlState(error) ?? '')
}

/** True when the connection is still good after the error: PostgreSQL answered, and did not end the session. */
export function keepsConnection(error: unknown): boolean {
  if (error instanceof ImagegateError) return error.code !== 'STORE_UNAVAILABLE'
  return error instanceof pg.DatabaseError && error.severity === 'ERROR'
}

/** True when no answer came in time: what was asked for may go on in the server. */
export function isLate(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout'
}

/** Missing database, wrong password, no privilege: states that a wait alone does not mend, told apart from an outage. */
const told: Readonly<Record<string, string>> = {
  '28P01': 'The database refused the password.',
  '28000': 'The database refused the role.',
  '3D000': 'There is no such database.',
  '42501': 'The database role lacks a privilege.',
  '25006': 'The database is read-only.',
  '53100': 'The disk of the database is full.',
  '53300': 'The database has no connection left.',
}

/** How an error is told: what is declared stays, all else is STORE_UNAVAILABLE. The address, which may hold a password, is never told. */
export function postgresError(error: unknown): ImagegateError {
  if (error instanceof ImagegateError) return error
  const state = sqlState(error) ?? systemCode(error)
  const detail = told[state ?? ''] ?? `The database answered ${state ?? 'an unexpected error'}.`
  return new ImagegateError('STORE_UNAVAILABLE', detail, { cause: error })
}

/** An error as it is logged: without the rows that PostgreSQL's detail may quote. */
export function reasonOf(error: unknown): { readonly reason: string; readonly state?: string } {
  const state = sqlState(error)
  return { reason: String(error), ...(state === undefined ? {} : { state }) }
}

/** Node's code of a lost or refused connection; pg's own errors have words alone. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return /timeout/i.test(error.message) ? 'nothing in time' : undefined
}
