import { createHash, type Hash } from 'node:crypto'
import { sha256 } from '../digest.ts'
import { ImagegateError } from '../errors.ts'
import { emptyHead, linkOf } from './chain.ts'
import { keyText, rowsOf } from './copy-rows.ts'
import type { MaintainedDatabase, PlainRow, TableShape } from './maintained.ts'

/** What a tenant's verdicts come to. */
export interface TenantDigest {
  readonly tenant: string
  readonly verdicts: number
  /** SHA-256 over the lines `ID DIGEST` of its verdicts by id, each digest computed anew from the body. */
  readonly digest: string
}

/** Computes what a row's own digest must be, where it has one, from what it covers. */
const digests: Readonly<Record<string, (row: PlainRow) => readonly [given: unknown, computed: string]>> = {
  verdicts: (row) => [row['record_digest'], sha256(text(row['body']))],
  policy_bodies: (row) => [row['digest'], sha256(text(row['body']))],
  fact_documents: ({ digest, body }) => [digest, body === null ? text(digest) : sha256(text(body))],
  chain: (row) => [
    row['link'],
    linkOf({
      tenant: text(row['tenant']),
      sequence: Number(row['sequence']),
      verdictId: text(row['verdict_id']),
      recordDigest: text(row['record_digest']),
      previousLink: text(row['previous_link']),
    }),
  ],
}

function text(value: unknown): string {
  return String(value)
}

function differs(detail: string): ImagegateError {
  return new ImagegateError('COPY_DIFFERS', detail)
}

/** Follows the rows of the target as they pass, and refuses what their own digests or order disprove. */
class Examiner {
  readonly #table: TableShape
  readonly #tenants = new Map<string, { verdicts: number; hash: Hash }>()
  #head = { tenant: '', ...emptyHead }

  constructor(table: TableShape) {
    this.#table = table
  }

  see(row: PlainRow): void {
    const [given, computed] = digests[this.#table.name]?.(row) ?? []
    if (given !== computed) throw differs(`${keyText(this.#table, row)} does not fit its own digest.`)
    if (this.#table.name === 'chain') this.#follow(row)
    if (this.#table.name === 'verdicts') this.#count(text(row['tenant']), `${row['id']} ${computed}\n`)
  }

  summary(): readonly TenantDigest[] {
    return [...this.#tenants].map(([tenant, { verdicts, hash }]) => {
      return { tenant, verdicts, digest: `sha256:${hash.digest('hex')}` }
    })
  }

  #follow(row: PlainRow): void {
    const tenant = text(row['tenant'])
    const before = this.#head.tenant === tenant ? this.#head : emptyHead
    if (Number(row['sequence']) !== before.sequence + 1 || row['previous_link'] !== before.link) {
      throw differs(`${keyText(this.#table, row)} does not follow the entry before it.`)
    }
    this.#head = { tenant, sequence: Number(row['sequence']), link: text(row['link']) }
  }

  #count(tenant: string, line: string): void {
    const of = this.#tenants.get(tenant) ?? { verdicts: 0, hash: createHash('sha256') }
    of.verdicts += 1
    of.hash.update(line)
    this.#tenants.set(tenant, of)
  }
}

function isEqual(table: TableShape, one: PlainRow, other: PlainRow): boolean {
  return table.columns.every((column) => one[column] === other[column])
}

/**
 * Reads a table of both sides, row beside row, and examines what the target's rows say of themselves. Rejects with
 * COPY_DIFFERS, naming the first row that is not the same. `visit` is called for each row.
 */
export async function compareTable(
  source: MaintainedDatabase,
  target: MaintainedDatabase,
  table: TableShape,
  visit: () => void,
): Promise<readonly TenantDigest[]> {
  const examiner = new Examiner(table)
  const copies = rowsOf(target, table)
  for await (const row of rowsOf(source, table)) {
    const { value, done } = await copies.next()
    if (done === true) throw differs(`${keyText(table, row)} and all after it are missing in the target.`)
    if (!isEqual(table, row, value))
      throw differs(`${keyText(table, row)} of the source is ${keyText(table, value)}, or other columns differ.`)
    examiner.see(value)
    visit()
  }
  const more = await copies.next()
  if (more.done !== true) throw differs(`${keyText(table, more.value)} is in the target alone.`)
  return examiner.summary()
}
