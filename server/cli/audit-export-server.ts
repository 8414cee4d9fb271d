import type { ChainEntry } from '../audit/chain.ts'
import type { ExportRecord } from '../audit/export-source.ts'
import type { StoredRecord, VerdictFilter, VerdictSummary } from '../audit/store.ts'
import { ImagegateError } from '../errors.ts'
import { matches } from '../schemas.ts'
import { askEach, patient } from './patient.ts'
import { clientOf, type Get, parseAnswer, unexpected } from './server-client.ts'
import type { ServerPlace } from './server-place.ts'
import { serverRecords } from './server-records.ts'

/** Verdicts that are asked for at a time. */
const atOnce = 100

const role =
  'An entry in the chain comes with the proof of its verdict, which the server gives to auditor and admin alone.'

/** The entry of a verdict in the chain, which its proof holds; undefined before a checkpoint vouches for it. */
async function entryOf(get: Get, id: string): Promise<ChainEntry | undefined> {
  let text: string
  try {
    text = await get(`v1/verdicts/${encodeURIComponent(id)}/proof`)
  } catch (cause) {
    if (!(cause instanceof ImagegateError)) throw cause
    if (cause.code === 'PROOF_PENDING') return undefined
    if (cause.code === 'FORBIDDEN') throw new ImagegateError('FORBIDDEN', role, { cause })
    throw cause
  }
  const proof = parseAnswer(text)
  if (!matches('proof', proof)) throw unexpected('It did not answer with a proof.')
  return proof.entry
}

function recordOf(
  summary: VerdictSummary,
  entry: ChainEntry | undefined,
  stored: StoredRecord | undefined,
): ExportRecord {
  if (stored === undefined) throw new ImagegateError('VERDICT_NOT_FOUND', `There is no verdict ${summary.id} any more.`)
  const { body, document } = stored
  const kept = document !== undefined && document !== 'expired'
  return { summary, body, ...(entry === undefined ? {} : { entry }), ...(kept ? { document } : {}) }
}

async function* recordsOf(
  server: ServerPlace,
  filter: VerdictFilter,
  facts: boolean,
): AsyncGenerator<ExportRecord, void, void> {
  const source = serverRecords(server)
  const get = patient(clientOf(server))
  for await (const { verdicts } of source.pages(filter, atOnce)) {
    const records = new Map((await source.records?.(verdicts, facts))?.map((record) => [record.id, record]))
    const entries = await askEach(verdicts, ({ id }) => entryOf(get, id))
    for (const [index, summary] of verdicts.entries()) {
      yield recordOf(summary, entries[index], records.get(summary.id))
    }
  }
}

/** What matches in a running imagegate, newest first; later than the first page nothing is added. */
export function serverExport(server: ServerPlace, filter: VerdictFilter, facts: boolean) {
  return { records: recordsOf(server, filter, facts), end: {} }
}
