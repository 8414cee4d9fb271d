import { ImagegateError } from '../errors.ts'
import { compareTable, type TenantDigest } from './copy-compare.ts'
import { countTo, idRange, keyText, lastRow, portionsOf, strayEntry } from './copy-rows.ts'
import { timeOfId } from './identity.ts'
import type { CopyTarget, MaintainedDatabase, TableShape } from './maintained.ts'
import { type TenantStatus, tableNames, tenantsOf } from './status.ts'

/** What is copied: a source that nobody writes to meanwhile, and a target that nobody else writes to. */
export interface CopyOrder {
  readonly source: MaintainedDatabase
  readonly target: CopyTarget
  /** Told after each portion. */
  readonly progress?: (step: 'copy' | 'compare', table: string, done: number, total: number) => void
}

/** A copy that was compared row by row. */
export interface Copied {
  readonly source: string
  readonly target: string
  /** Rows that were there from a run before, and rows that this one wrote. */
  readonly resumed: number
  readonly written: number
  /** By name; alike on both sides. */
  readonly tenants: readonly (TenantDigest & Pick<TenantStatus, 'head' | 'unsealed' | 'checkpoint'>)[]
}

/** What a database says of itself and of the moment, and the index that PostgreSQL alone has: they are not copied. */
const ownTables: readonly string[] = ['migrations', 'health', 'request_counts', 'image_trigrams']

/** Verdicts come after what they refer to, and before what refers to them. */
const first: readonly string[] = ['policy_bodies', 'fact_documents', 'verdicts', 'chain']

/**
 * Copies everything but what a database says of itself: table by table, by the order of keys, in portions that are
 * durable one by one, so that a run after a killed one goes on where the target ends; then compares both sides row by
 * row. Rejects with COPY_REFUSED when the target holds other verdicts, with COPY_DIFFERS, STORE_INCOMPATIBLE or STORE_UNAVAILABLE.
 */
export async function copyDatabase({ source, target, progress }: CopyOrder): Promise<Copied> {
  const tables = await tablesToCopy(source, target)
  await refuseOthers(source, target, tables)
  await makeRoom(source, target)
  let resumed = 0
  let written = 0
  for (const table of tables) {
    const total = await countTo(source, table)
    const last = await lastRow(target, table)
    let done = last === undefined ? 0 : await countTo(source, table, last)
    resumed += done
    for await (const rows of portionsOf(source, table, last)) {
      await target.insert(table, rows)
      written += rows.length
      done += rows.length
      progress?.('copy', table.name, done, total)
    }
  }
  await target.settle()
  const digests = await compareAll(tables, { source, target, ...(progress && { progress }) })
  return { source: source.place, target: target.place, resumed, written, tenants: await summary(target, digests) }
}

async function tablesToCopy(source: MaintainedDatabase, target: MaintainedDatabase): Promise<readonly TableShape[]> {
  for (const database of [source, target]) {
    const [pending] = (await database.migrations()).pending
    if (pending !== undefined) {
      throw new ImagegateError(
        'STORE_INCOMPATIBLE',
        `${database.place} still needs ${pending}: run imagegate db migrate.`,
      )
    }
  }
  const shapes = (await source.tables()).filter(({ name }) => !ownTables.includes(name))
  const others = new Map((await target.tables()).map((table) => [table.name, table.columns.join()]))
  for (const { name, columns } of shapes) {
    if (others.get(name) === columns.join()) continue
    throw new ImagegateError('STORE_INCOMPATIBLE', `The table ${name} has not the same columns on both sides.`)
  }
  const place = ({ name }: TableShape) => (first.includes(name) ? first.indexOf(name) : first.length)
  return [...shapes].sort((one, other) => place(one) - place(other))
}

/** The verdicts that are in the target must be the first ones of the source: what a run before has left. */
async function refuseOthers(source: MaintainedDatabase, target: MaintainedDatabase, tables: readonly TableShape[]) {
  const table = tables.find(({ name }) => name === 'verdicts')
  const last = table && (await lastRow(target, table))
  if (table === undefined || last === undefined) return
  const lines: TableShape = { ...table, columns: ['tenant', 'id', 'record_digest'] }
  const originals = portionsOf(source, lines)
  for await (const portion of portionsOf(target, lines)) {
    const { value = [] } = await originals.next()
    for (const [index, row] of portion.entries()) {
      const original = value?.[index]
      if (lines.columns.every((column) => row[column] === original?.[column])) continue
      const found = `${keyText(lines, row)} stands in ${target.place} where ${source.place} has`
      throw new ImagegateError('COPY_REFUSED', `${found} ${original ? keyText(lines, original) : 'none'}.`)
    }
  }
}

async function makeRoom(source: MaintainedDatabase, target: CopyTarget): Promise<void> {
  const range = await idRange(source)
  if (range !== undefined) await target.prepare(new Date(timeOfId(range[0])), new Date(timeOfId(range[1])))
}

async function compareAll(tables: readonly TableShape[], { source, target, progress }: CopyOrder) {
  let digests: readonly TenantDigest[] = []
  for (const table of tables) {
    const total = await countTo(source, table)
    let done = 0
    const found = await compareTable(source, target, table, () => {
      done += 1
      if (done % 100 === 0) progress?.('compare', table.name, done, total)
    })
    if (table.name === 'verdicts') digests = found
  }
  const stray = await strayEntry(target)
  if (stray !== undefined) throw new ImagegateError('COPY_DIFFERS', `${stray} seals no verdict of its digest.`)
  return digests
}

async function summary(target: MaintainedDatabase, digests: readonly TenantDigest[]): Promise<Copied['tenants']> {
  const tenants = new Map((await tenantsOf(target.db, await tableNames(target))).map((one) => [one.tenant, one]))
  return digests.map((digest) => {
    const { head, unsealed = 0, checkpoint } = tenants.get(digest.tenant) ?? {}
    return { ...digest, ...(head && { head }), unsealed, ...(checkpoint && { checkpoint }) }
  })
}
