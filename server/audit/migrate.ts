import { readdirSync, readFileSync } from 'node:fs'
import { sha256 } from '../digest.ts'
import { ImagegateError } from '../errors.ts'

/** One file of migrations/<dialect>. */
export interface Migration {
  /** The file's name: NNNN-name.sql. */
  readonly name: string
  /** SHA-256 of the file's bytes. */
  readonly checksum: string
  readonly sql: string
}

/** What a database says of a migration that it went through. */
export type AppliedMigration = Pick<Migration, 'name' | 'checksum'>

/** The migrations of a directory in their order. Throws STORE_INCOMPATIBLE when one is missing or none can be read. */
export function readMigrations(directory: URL): readonly Migration[] {
  const migrations = fileNames(directory).map((name) => {
    const bytes = readFileSync(new URL(name, directory))
    return { name, checksum: sha256(bytes), sql: bytes.toString('utf8') }
  })
  if (migrations.length === 0) throw new ImagegateError('STORE_INCOMPATIBLE', 'There are no migration files.')
  for (const [index, { name }] of migrations.entries()) {
    const number = String(index + 1).padStart(4, '0')
    if (!name.startsWith(`${number}-`)) {
      throw new ImagegateError('STORE_INCOMPATIBLE', `Migration ${number} is missing: ${name} is in its place.`)
    }
  }
  return migrations
}

/**
 * The migrations that a database still needs. Throws STORE_INCOMPATIBLE, naming the migration, when the database went
 * through one that the program does not know or knows with other bytes.
 */
export function pendingMigrations(
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  for (const [index, { name, checksum }] of applied.entries()) {
    const migration = known[index]
    if (migration?.name !== name) {
      throw new ImagegateError(
        'STORE_INCOMPATIBLE',
        `The database went through ${name}, which this program does not know.`,
      )
    }
    if (migration.checksum !== checksum) {
      throw new ImagegateError(
        'STORE_INCOMPATIBLE',
        `${name} was changed after the database went through it: its checksum is ${migration.checksum} and was ${checksum}.`,
      )
    }
  }
  return known.slice(applied.length)
}

function fileNames(directory: URL): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
      .sort()
  } catch (cause) {
    throw new ImagegateError('STORE_INCOMPATIBLE', 'The migration files cannot be read.', { cause })
  }
}
