import type { StoredRecord, VerdictFilter, VerdictSummary } from '../audit/store.ts'
import { ImagegateError } from '../errors.ts'
import { type Line, splitLines } from '../lines.ts'
import type { ImpactItem, ImpactSource, Portion } from './impact-item.ts'

/** A list of recorded verdicts in pages, and the records behind it. */
export interface RecordedVerdicts {
  pages(
    filter: VerdictFilter,
    pageSize: number,
    from?: string,
  ): AsyncIterable<{ readonly verdicts: readonly VerdictSummary[]; readonly next?: string }>
  /** Absent where verdicts are only listed, and read where they are evaluated. */
  records?(listed: readonly VerdictSummary[]): Promise<readonly StoredRecord[]>
}

/** A portion is full at so many items, so that a handful of portions in memory stays small. */
const fullItems = 100
/** Or after so many records outside the sample, so that progress is told and kept. */
const fullFound = 5000

/** One line holds a verdict and its facts, of at most 1 MiB each as they are recorded, and room for escapes. */
const maxLineBytes = 8 * 2 ** 20

async function itemsOf(recorded: RecordedVerdicts, listed: readonly VerdictSummary[]): Promise<ImpactItem[]> {
  if (recorded.records === undefined) return listed.map(({ id, factsDigest }) => ({ kind: 'listed', id, factsDigest }))
  const digests = new Map(listed.map(({ id, factsDigest }) => [id, factsDigest]))
  const found = listed.length === 0 ? [] : await recorded.records(listed)
  return found.map((record) => ({ kind: 'record', factsDigest: digests.get(record.id) ?? '', ...record }))
}

/** The verdicts of a database or a server that fit a filter, newest first. */
export function recordedSource(recorded: RecordedVerdicts, filter: VerdictFilter): ImpactSource {
  return {
    async *keys() {
      for await (const { verdicts } of recorded.pages(filter, 500)) for (const { id } of verdicts) yield id
    },
    async *portions(keep, from) {
      let found = 0
      let listed: VerdictSummary[] = []
      for await (const { verdicts, next } of recorded.pages(filter, fullItems, from)) {
        found += verdicts.length
        listed.push(...verdicts.filter(({ id }) => keep(id)))
        if (listed.length < fullItems && found < fullFound && next !== undefined) continue
        const items = await itemsOf(recorded, listed)
        yield { items, found, ...(next === undefined ? {} : { position: next }) }
        found = 0
        listed = []
      }
    },
  }
}

function itemOf(given: Line): ImpactItem {
  const { line } = given
  // A copy of its own: a view into a chunk would carry the whole chunk to the other thread.
  if ('bytes' in given) return { kind: 'line', line, bytes: Uint8Array.from(given.bytes) }
  if (given.error.code === 'FILE_UNREADABLE') throw given.error
  return { kind: 'broken', line, detail: given.error.message }
}

function startOf(from: string | undefined): number {
  if (from === undefined) return 0
  if (/^\d{1,15}$/.test(from)) return Number(from)
  throw new ImagegateError('OPTION_INVALID', 'The position in the export is not a line.')
}

/** The lines of an export, in their order; each time they are asked for, `read` begins anew. */
export function exportSource(read: () => AsyncIterable<Buffer>): ImpactSource {
  const lines = () => splitLines(read(), maxLineBytes)
  return {
    async *keys() {
      for await (const { line } of lines()) yield String(line)
    },
    async *portions(keep, from) {
      const start = startOf(from)
      let portion: { items: ImpactItem[]; found: number; position: string } | undefined
      for await (const given of lines()) {
        if (given.line <= start) continue
        if (portion !== undefined && (portion.items.length >= fullItems || portion.found >= fullFound)) {
          yield portion
          portion = undefined
        }
        portion ??= { items: [], found: 0, position: '' }
        portion.found += 1
        portion.position = String(given.line)
        if (keep(portion.position)) portion.items.push(itemOf(given))
      }
      const { items, found } = portion ?? { items: [], found: 0 }
      const last: Portion = { items, found }
      yield last
    },
  }
}
