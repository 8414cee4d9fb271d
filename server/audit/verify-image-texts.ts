import { sql } from 'kysely'
import { textPlace } from './identity.ts'
import { type AuditSnapshot, oneRow } from './snapshot.ts'
import type { AuditProblem, AuditProblems } from './verify-problems.ts'

/** Verdicts whose rows are looked up by one statement. */
const placesAtOnce = 500

/** A row of image_texts. A verdict has one, where its id belongs; another copy of it is found by walkImageTexts. */
interface TextRow {
  readonly [column: string]: unknown
  readonly verdict_id: string
}

/** The first row that each verdict of a tenant has in its place of SQLite's index of text, in the order of the ids. */
export async function* imageTextsOf(snapshot: AuditSnapshot, tenant: string): AsyncGenerator<TextRow, void, void> {
  const ids = snapshot.rows((db) => db.selectFrom('verdicts').select('id').where('tenant', '=', tenant).orderBy('id'))
  let asked: string[] = []
  for await (const { id } of ids) {
    asked.push(id)
    if (asked.length < placesAtOnce) continue
    yield* rowsAt(snapshot, tenant, asked)
    asked = []
  }
  yield* rowsAt(snapshot, tenant, asked)
}

/** Each is found by a range of rowids: the index has none of tenants or ids. */
async function* rowsAt(snapshot: AuditSnapshot, tenant: string, ids: readonly string[]) {
  const places = JSON.stringify(ids.map((id) => [id, ...textPlace(id)]))
  const query = sql<TextRow>`
    SELECT c0 AS text, c1 AS tenant, c2 AS verdict_id FROM (
      SELECT key, value ->> 0 AS verdict, (value ->> 1 << 22) + (value ->> 2 << 10) AS first FROM json_each(${places})
    ) CROSS JOIN image_texts_content
    WHERE id BETWEEN first AND first + 1023 AND c1 = ${tenant} AND c2 = verdict ORDER BY key, id`
  let last: string | undefined
  for await (const row of snapshot.rows<TextRow>((db) => ({ compile: () => query.compile(db) }))) {
    if (row.verdict_id !== last) yield row
    last = row.verdict_id
  }
}

interface PlacedRow {
  readonly milliseconds: number
  readonly next: number
  readonly tenant: unknown
  readonly verdict: unknown
  /** 1 when there is such a verdict, or its entry in the chain, which tells that it was removed. */
  readonly known: number
}

/**
 * Looks for rows of SQLite's index of text that no verdict explains, of a tenant or of all, and whether the index has the
 * words of its rows, which is told of all tenants' together.
 */
export async function walkImageTexts(
  snapshot: AuditSnapshot,
  tenant: string | undefined,
  problems: AuditProblems,
): Promise<void> {
  const query = sql<PlacedRow>`
    SELECT id >> 22 AS milliseconds, (id >> 10) & 4095 AS next, c1 AS tenant, c2 AS verdict,
      EXISTS (SELECT 1 FROM verdicts WHERE verdicts.tenant = c1 AND verdicts.id = c2)
        OR EXISTS (SELECT 1 FROM chain WHERE chain.tenant = c1 AND chain.verdict_id = c2) AS known
    FROM image_texts_content WHERE ${tenant ?? null} IS NULL OR c1 = ${tenant ?? null} ORDER BY image_texts_content.id`
  let place = ''
  const there = new Set<string>()
  for await (const row of snapshot.rows<PlacedRow>((db) => ({ compile: () => query.compile(db) }))) {
    const here = `${row.milliseconds} ${row.next}`
    if (here !== place) there.clear()
    place = here
    const name = JSON.stringify([row.tenant, row.verdict])
    const wrong = wrongOf(row, there.has(name))
    there.add(name)
    if (wrong !== undefined) problems.add(await problemOf(snapshot, row, wrong))
  }
  const check = sql<{ integrity_check: string }>`PRAGMA integrity_check(image_texts)`
  for await (const { integrity_check: told } of snapshot.rows<{ integrity_check: string }>((db) => ({
    compile: () => check.compile(db),
  }))) {
    if (told === 'ok') continue
    const message = `The index does not find what its rows say: ${told}.`
    problems.add({ kind: 'changed', where: 'image_texts', differs: [], message })
  }
}

/** Why nothing explains a row, if so. */
function wrongOf({ milliseconds, next, verdict, known }: PlacedRow, again: boolean): string | undefined {
  if (known === 0) return 'A row names a verdict that does not exist.'
  const [time, bits] = textPlace(String(verdict))
  if (milliseconds !== time || next !== bits) return 'A row stands where its verdict does not belong.'
  return again ? 'The verdict has another row.' : undefined
}

async function problemOf(snapshot: AuditSnapshot, row: PlacedRow, message: string): Promise<AuditProblem> {
  const tenant = String(row.tenant)
  const verdict = String(row.verdict)
  const entry = await oneRow(snapshot, (db) =>
    db.selectFrom('chain').select('sequence').where('tenant', '=', tenant).where('verdict_id', '=', verdict),
  )
  const place = { tenant, verdict, ...(entry === undefined ? {} : { sequence: entry.sequence }) }
  return { kind: 'added', where: 'image_texts', ...place, differs: ['rowid'], message }
}
