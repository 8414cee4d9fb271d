import { type RawBuilder, sql } from 'kysely'
import type { MaintainedDatabase, PlainRow, TableShape } from './maintained.ts'

/** Rows of one portion: where a row may hold a document of a mebibyte, and where it is an index's line. */
const portions = { bodies: 100, lines: 5000 }

/** How many rows of a table are read and written at once, so that memory stays bounded. */
export function portionOf({ columns }: TableShape): number {
  return columns.includes('body') ? portions.bodies : portions.lines
}

const listOf = (columns: readonly string[]) => sql.join(columns.map((column) => sql.ref(column)))

function keyOrder({ key }: TableShape, direction: 'asc' | 'desc') {
  return sql.join(key.map((column) => sql`${sql.ref(column)} ${sql.raw(direction)}`))
}

/** The rows of a table in the order of its key, portion by portion, after a key if one is given. */
export async function* portionsOf(
  database: MaintainedDatabase,
  table: TableShape,
  after?: PlainRow,
): AsyncGenerator<readonly PlainRow[], void, void> {
  const size = portionOf(table)
  for (let last = after; ; ) {
    const from = last
    const where =
      from === undefined
        ? sql``
        : sql`where (${listOf(table.key)}) > (${sql.join(table.key.map((column) => from[column]))})`
    const rows = await run<PlainRow>(
      database,
      sql`select ${listOf(table.columns)} from ${sql.table(table.name)} ${where}
        order by ${keyOrder(table, 'asc')} limit ${size}`,
    )
    if (rows.length > 0) yield rows
    if (rows.length < size) return
    last = rows.at(-1)
  }
}

/** Every row of a table in the order of its key. */
export async function* rowsOf(database: MaintainedDatabase, table: TableShape): AsyncGenerator<PlainRow, void, void> {
  for await (const portion of portionsOf(database, table)) yield* portion
}

/** The row with the greatest key; undefined for an empty table. */
export async function lastRow(database: MaintainedDatabase, table: TableShape): Promise<PlainRow | undefined> {
  const rows = await run<PlainRow>(
    database,
    sql`select ${listOf(table.columns)} from ${sql.table(table.name)} order by ${keyOrder(table, 'desc')} limit 1`,
  )
  return rows[0]
}

/** How many rows a table has, up to a key if one is given. */
export async function countTo(database: MaintainedDatabase, table: TableShape, upTo?: PlainRow): Promise<number> {
  const where =
    upTo === undefined
      ? sql``
      : sql`where (${listOf(table.key)}) <= (${sql.join(table.key.map((column) => upTo[column]))})`
  const rows = await run<{ rows: number }>(
    database,
    sql`select count(*) as rows from ${sql.table(table.name)} ${where}`,
  )
  return Number(rows[0]?.rows)
}

/** The least and the greatest id by which tables have parts: of verdicts and of reads; undefined when there is none. */
export async function idRange(database: MaintainedDatabase): Promise<readonly [low: string, high: string] | undefined> {
  const rows = await run<{ low: string | null; high: string | null }>(
    database,
    sql`select min(low) as low, max(high) as high from (
      select min(id) as low, max(id) as high from verdicts
      union all select min(id), max(id) from audit_reads) as ranges`,
  )
  const { low, high } = rows[0] ?? { low: null, high: null }
  return low === null || high === null ? undefined : [low, high]
}

/** An entry of a chain that seals no verdict, or one of another digest; undefined when there is none. */
export async function strayEntry(database: MaintainedDatabase): Promise<string | undefined> {
  const rows = await run<{ tenant: string; sequence: number }>(
    database,
    sql`select chain.tenant, chain.sequence from chain
      left join verdicts on verdicts.tenant = chain.tenant and verdicts.id = chain.verdict_id
      where verdicts.record_digest is null or verdicts.record_digest <> chain.record_digest limit 1`,
  )
  return rows.map(({ tenant, sequence }) => `chain (${tenant}, ${sequence})`)[0]
}

async function run<Row>({ db, explain }: MaintainedDatabase, query: RawBuilder<unknown>): Promise<readonly Row[]> {
  try {
    return (await query.$castTo<Row>().execute(db)).rows
  } catch (error) {
    throw explain(error)
  }
}

/** A row's key as it is shown. */
export function keyText({ name, key }: TableShape, row: PlainRow): string {
  return `${name} (${key.map((column) => String(row[column])).join(', ')})`
}
