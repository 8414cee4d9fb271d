import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import Database from 'better-sqlite3'

/** How long the writer waits for another process's lock, in milliseconds. */
const writerPatience = 5000

/** After it waited in vain for one batch, the writer waits only this long for each further one, in milliseconds. */
const shortPatience = 100

/** How long a query waits for a lock, in milliseconds: little, because the thread that asks answers requests. */
const readerPatience = 250

/** Makes the data directory (mode 0700) and an empty file (mode 0600) where there are none, both durable. */
export function createDatabaseFile(file: string): void {
  const directory = dirname(resolve(file))
  const firstCreated = mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (!existsSync(file)) {
    closeSync(openSync(file, 'a', 0o600))
    chmodSync(file, 0o600)
    syncDirectory(directory)
  }
  if (firstCreated === undefined) return
  for (let made = directory; made.length >= firstCreated.length; made = dirname(made)) syncDirectory(dirname(made))
}

/** A connection whose COMMIT returns only after fdatasync. Throws SQLITE_CANTOPEN when there is no file. */
export function openForWriting(file: string): Database.Database {
  return open(file, false, writerPatience, (db) => {
    if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal') {
      throw new Error('The file system does not allow a write-ahead log.')
    }
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = OFF')
    db.pragma('recursive_triggers = ON')
    db.pragma('trusted_schema = OFF')
    // After a burst the log is cut to this many bytes instead of staying as long as it ever was.
    db.pragma('journal_size_limit = 67108864')
  })
}

/** A connection that cannot write. Throws SQLITE_CANTOPEN when there is no file. */
export function openForReading(file: string): Database.Database {
  return open(file, true, readerPatience, (db) => {
    db.pragma('query_only = ON')
    db.pragma('trusted_schema = OFF')
  })
}

/** Makes a writing connection wait as ever for other processes' locks, or but briefly while one is held for long. */
export function setPatience(db: Database.Database, long: boolean): void {
  db.pragma(`busy_timeout = ${long ? writerPatience : shortPatience}`)
}

function open(
  file: string,
  readonly: boolean,
  timeout: number,
  configure: (db: Database.Database) => void,
): Database.Database {
  const db = new Database(file, { readonly, fileMustExist: true, timeout })
  try {
    configure(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
