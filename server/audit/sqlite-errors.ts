import Database from 'better-sqlite3'
import { ImagegateError } from '../errors.ts'
import type { StoreFailure } from './write-request.ts'

/** SQLite's extended result code, if the error is SQLite's. */
export function sqliteCode(error: unknown): string | undefined {
  return error instanceof Database.SqliteError ? error.code : undefined
}

/** True when one record is at fault and not the database. */
export function isConstraint(error: unknown): boolean {
  return sqliteCode(error)?.startsWith('SQLITE_CONSTRAINT') ?? false
}

/** How an error is told: what is declared stays, a file of another kind is STORE_INCOMPATIBLE, all else STORE_UNAVAILABLE. */
export function storeFailure(error: unknown): StoreFailure {
  if (error instanceof ImagegateError) return { code: error.code, detail: error.message }
  const code = sqliteCode(error)
  if (code === 'SQLITE_NOTADB') return { code: 'STORE_INCOMPATIBLE', detail: 'The file is not a SQLite database.' }
  const answer = code ?? systemCode(error) ?? 'an unexpected error'
  return { code: 'STORE_UNAVAILABLE', detail: `The database answered ${answer}.`, reason: String(error) }
}

/** The same as an error to throw, with its cause. */
export function storeError(error: unknown): ImagegateError {
  if (error instanceof ImagegateError) return error
  const { code, detail } = storeFailure(error)
  return new ImagegateError(code, detail, { cause: error })
}

/** True when the database's own pages are found damaged, which no retry mends. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === 'SQLITE_NOTADB' || (code?.startsWith('SQLITE_CORRUPT') ?? false)
}

/** An error of a database that was in service: what does not fit now did before, so it may be mended. */
export function inService(error: unknown): StoreFailure {
  const failure = storeFailure(error)
  return failure.code === 'STORE_INCOMPATIBLE' ? { ...failure, code: 'STORE_UNAVAILABLE' } : failure
}

/** The same as an error to throw, with its cause. */
export function inServiceError(error: unknown): ImagegateError {
  const { code, detail } = inService(error)
  if (error instanceof ImagegateError && error.code === code) return error
  return new ImagegateError(code, detail, { cause: error })
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
