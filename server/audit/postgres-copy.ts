import { trigramsOf } from './image-text.ts'
import {
  type CopyTarget,
  forgetSealed,
  type MaintainedDatabase,
  type PlainRow,
  refusal,
  searchedNames,
  type TableShape,
} from './maintained.ts'
import { type Connection, inTransaction, openPool, setTenant } from './postgres-connection.ts'
import { isRefusal, postgresError } from './postgres-errors.ts'
import { columnsOf } from './postgres-insert.ts'
import { maintainedOn } from './postgres-maintained.ts'
import { migratePostgres } from './postgres-migrate.ts'
import { makeNextPartitions, makePartitions } from './postgres-partitions.ts'
import { textArray } from './postgres-values.ts'

/** Durable, and without limits of time: a portion may be large. */
const begin = 'BEGIN; SET LOCAL synchronous_commit = on'

/**
 * Opens a database to copy from as it is at one moment, and keeps others from writing to it until it is closed. Rejects
 * with STORE_UNAVAILABLE when another transaction writes and does not end.
 */
export function openPostgresSource(url: string): Promise<MaintainedDatabase> {
  return maintainedOn(url, async (connection) => {
    const { rows } = await connection.query<{ names: string }>(
      `SELECT string_agg(oid::regclass::text, ', ') AS names FROM pg_class
       WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition`,
    )
    const names = rows[0]?.names
    await connection.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL lock_timeout = '5s'")
    // Locked before the first look, so that the moment comes after the last writer.
    if (typeof names === 'string') await connection.query(`LOCK TABLE ${names} IN EXCLUSIVE MODE`)
    await setTenant(connection, '*')
  })
}

/** Migrates a database to copy to. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openPostgresTarget(url: string): Promise<CopyTarget> {
  await told(migratePostgres(url))
  const writing = openPool({ url, size: 1, patient: true })
  // No transaction: one that has read a table would keep it from getting partitions.
  const reading = await maintainedOn(url, (connection) =>
    connection.query("SELECT set_config('imagegate.tenant', '*', false)"),
  )
  return {
    ...reading,
    async prepare(first, last) {
      await told(makePartitions(writing, first, last))
      await told(makeNextPartitions(writing))
    },
    insert: (table, rows) =>
      told(
        inTransaction(writing, begin, async (connection) => {
          await setTenant(connection, '*')
          await connection.query(await insertion(connection, table), parameters(table, rows))
          if (table.name === 'verdicts') await insertTrigrams(connection, rows)
        }),
        table,
      ),
    async settle() {
      await told(
        inTransaction(writing, begin, async (connection) => {
          await setTenant(connection, '*')
          await connection.query(forgetSealed)
        }),
      )
      await told(writing.query('ANALYZE'))
    },
    async close() {
      await reading.close()
      await writing.end()
    },
  }
}

async function told<T>(work: Promise<T>, table?: TableShape): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (table !== undefined && isRefusal(error)) throw refusal(table.name, error)
    throw postgresError(error)
  }
}

/** The statement that inserts a portion; what a trigger has put there already is left to the comparison. */
async function insertion(connection: Connection, { name, columns }: TableShape): Promise<string> {
  const { rows } = await connection.query<{ name: string; type: string }>(
    `SELECT attname::text AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
    [name],
  )
  const types = new Map(rows.map((column) => [column.name, column.type]))
  const values = columns.map((column) => `"${column}"::${types.get(column)}`)
  const lists = columns.map((_, index) => `$${index + 1}::text[]`)
  const quoted = columns.map((column) => `"${column}"`).join(', ')
  return `INSERT INTO "${name}" (${quoted}) SELECT ${values.join(', ')} FROM unnest(${lists.join(', ')}) AS given (${quoted})
    ON CONFLICT DO NOTHING`
}

async function insertTrigrams(connection: Connection, rows: readonly PlainRow[]): Promise<void> {
  const trigrams = searchedNames(rows).flatMap(({ text, ...verdict }) =>
    trigramsOf(text).map((trigram) => ({ ...verdict, trigram })),
  )
  await connection.query(
    `INSERT INTO image_trigrams (tenant, trigram, verdict_id)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING`,
    columnsOf(trigrams, 'tenant', 'trigram', 'id'),
  )
}

function parameters({ columns }: TableShape, rows: readonly PlainRow[]): Buffer[] {
  return columns.map((column) => textArray(rows.map((row) => (row[column] === null ? null : String(row[column])))))
}
