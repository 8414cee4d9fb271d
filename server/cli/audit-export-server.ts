import type { ChainEntry } from '../audit/chain.ts'
import type { ExportRecord } from '../audit/export-source.ts'
import type { StoredRecord, VerdictFilter, VerdictSummary } from '../audit/store.ts'
import { ImagegateError } from '../errors.ts'
import { matches } from '../schemas.ts'
import { clientOf, type Get, parseAnswer } from './server-client.ts'
import type { ServerPlace } from './server-place.ts'
import { serverRecords } from './server-records.ts'

/** Verdicts that are asked for at a time. */
const atOnce = 100

/** The entry of a verdict in the chain, which its proof holds; undefined before a checkpoint vouches for it. */
async function entryOf(get: Get, id: string): Promise<ChainEntry | undefined> {
  try {
    const proof = parseAnswer(await get(`v1/verdicts/${encodeURIComponent(id)}/proof`))
    return matches('proof', proof) ? proof.entry : undefined
  } catch (error) {
    if (error instanceof ImagegateError && error.code !== 'SERVER_UNREACHABLE') return undefined
    throw error
  }
}

function recordOf(
  summary: VerdictSummary,
  entry: ChainEntry | undefined,
  stored: StoredRecord | undefined,
  facts: boolean,
): ExportRecord {
  if (stored === undefined) throw new ImagegateError('VERDICT_NOT_FOUND', `There is no verdict ${summary.id} any more.`)
  const { body, document } = stored
  const kept = facts && document !== undefined && document !== 'expired'
  return { summary, body, ...(entry === undefined ? {} : { entry }), ...(kept ? { document } : {}) }
}

async function* recordsOf(
  server: ServerPlace,
  filter: VerdictFilter,
  facts: boolean,
): AsyncGenerator<ExportRecord, void, void> {
  const source = serverRecords(server)
  const get = clientOf(server)
  for await (const { verdicts } of source.pages(filter, atOnce)) {
    const records = new Map((await source.records?.(verdicts))?.map((record) => [record.id, record]))
    const entries = await Promise.all(verdicts.map(({ id }) => entryOf(get, id)))
    for (const [index, summary] of verdicts.entries()) {
      yield recordOf(summary, entries[index], records.get(summary.id), facts)
    }
  }
}

/** What matches in a running imagegate, newest first; later than the first page nothing is added. */
export function serverExport(server: ServerPlace, filter: VerdictFilter, facts: boolean) {
  return { records: recordsOf(server, filter, facts), end: {} }
}
