import Database from 'better-sqlite3'
import { type CopyTarget, forgetSealed, type MaintainedDatabase, refusal, searchedNames } from './maintained.ts'
import { openSqliteStore } from './sqlite.ts'
import { openForWriting } from './sqlite-connection.ts'
import { isConstraint, storeError } from './sqlite-errors.ts'
import { prepareImageText } from './sqlite-insert.ts'
import { maintained } from './sqlite-maintained.ts'

/** How long to wait for another process's transaction, in milliseconds. */
const busyTimeout = 5000

/**
 * Opens a database to copy from, and keeps others from writing to it until it is closed. Throws STORE_UNAVAILABLE when
 * another process writes and does not pause.
 */
export function openSqliteSource(file: string): MaintainedDatabase {
  try {
    const database = new Database(file, { fileMustExist: true, timeout: busyTimeout })
    try {
      database.exec('BEGIN IMMEDIATE')
      return maintained(database, file)
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw storeError(error)
  }
}

/** Makes or migrates a database to copy to. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openSqliteTarget(file: string): Promise<CopyTarget> {
  const store = await openSqliteStore({ file })
  await store.close()
  const database = openForWriting(file)
  const keepText = prepareImageText(database)
  return {
    ...maintained(database, file),
    async prepare() {
      // Its tables have no parts.
    },
    async insert({ name, columns }, rows) {
      try {
        const insert = database.prepare(
          `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
        )
        database.transaction(() => {
          for (const row of rows) insert.run(columns.map((column) => row[column]))
          if (name === 'verdicts') for (const { text, ...verdict } of searchedNames(rows)) keepText(text, verdict)
        })()
      } catch (error) {
        if (isConstraint(error)) throw refusal(name, error)
        throw storeError(error)
      }
    },
    async settle() {
      try {
        database.exec(forgetSealed)
      } catch (error) {
        throw storeError(error)
      }
    },
  }
}
