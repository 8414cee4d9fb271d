import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import Database from 'better-sqlite3'

/** How long a connection waits for another process's lock, in milliseconds. */
const busyTimeout = 5000

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
  return open(file, false, (db) => {
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
  return open(file, true, (db) => {
    db.pragma('query_only = ON')
    db.pragma('trusted_schema = OFF')
  })
}

function open(file: string, readonly: boolean, configure: (db: Database.Database) => void): Database.Database {
  const db = new Database(file, { readonly, fileMustExist: true, timeout: busyTimeout })
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
