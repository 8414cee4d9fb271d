import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the audit record is kept. */
export type DatabasePlace =
  | { readonly kind: 'sqlite' /** Absolute path. */; readonly file: string }
  | {
      readonly kind: 'postgres'
      /** May hold a password: never shown, never logged. */
      readonly url: string
      /** A replica that audit queries may be read from; may hold a password. */
      readonly readUrl?: string
    }

/** The place that a setting or an option names: a file: URL, a path, or a postgres: URL; undefined for anything else. */
export function databasePlace(given: string): DatabasePlace | undefined {
  if (isPostgresUrl(given)) return { kind: 'postgres', url: given }
  const file = filePath(given)
  return file === undefined ? undefined : { kind: 'sqlite', file }
}

/** A place whose URLs hold a password where they held none; a file has none. */
export function withPassword(place: DatabasePlace, password: string): DatabasePlace {
  if (place.kind === 'sqlite') return place
  const { url, readUrl } = place
  return { ...place, url: passwordIn(url, password), ...(readUrl && { readUrl: passwordIn(readUrl, password) }) }
}

function passwordIn(given: string, password: string): string {
  const url = new URL(given)
  if (url.password === '' && !url.searchParams.has('password')) url.password = encodeURIComponent(password)
  return url.href
}

/** True for a URL of a PostgreSQL database, well-formed. */
export function isPostgresUrl(given: string): boolean {
  if (!/^postgres(ql)?:\/\//.test(given)) return false
  try {
    const { username, password, pathname } = new URL(given)
    for (const part of [username, password, pathname]) decodeURIComponent(part)
    return true
  } catch {
    return false
  }
}

/** A place as it may be shown: a file, or the address of a database without role, password and options. */
export function placeName(place: DatabasePlace): string {
  if (place.kind === 'sqlite') return place.file
  const { host, pathname } = new URL(place.url)
  return `postgres://${host}${pathname}`
}

/** An absolute path, or undefined for what is no local file; a URL is not quoted because it may hold a password. */
function filePath(given: string): string | undefined {
  if (/[?#\0]/.test(given) || given.startsWith(':')) return undefined
  if (given.startsWith('file://')) {
    try {
      return fileURLToPath(given)
    } catch {
      return undefined
    }
  }
  if (given.startsWith('file:')) return given === 'file:' ? undefined : resolve(given.slice('file:'.length))
  return /^[a-z][a-z0-9+.-]*:/i.test(given) ? undefined : resolve(given)
}
