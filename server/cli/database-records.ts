import { openSqliteReader } from '../audit/sqlite.ts'
import type { ListPosition, Store, StoreReader, VerdictFilter } from '../audit/store.ts'
import { ImagegateError } from '../errors.ts'
import { replay } from '../evaluation/replay.ts'
import { defaultTenant } from '../http/deps.ts'
import type { Records, RecordsPage } from './records.ts'

async function* pagesOf(
  reader: StoreReader,
  filter: VerdictFilter,
  pageSize: number,
): AsyncGenerator<RecordsPage, void, void> {
  let position: ListPosition | undefined
  do {
    const { verdicts, next } = await reader.list(defaultTenant, filter, pageSize, position)
    yield { verdicts, more: next !== undefined }
    position = next
  } while (position !== undefined)
}

/** A store for use cases that read; nothing can be recorded through it. */
function readOnly(reader: StoreReader): Store {
  const refuse = () => Promise.reject(new ImagegateError('STORE_UNAVAILABLE', 'It is opened for reading alone.'))
  return {
    idempotent: (tenant, key) => reader.idempotent(tenant, key),
    verdict: (tenant, id) => reader.verdict(tenant, id),
    document: (tenant, digest) => reader.document(tenant, digest),
    policyBody: (digest) => reader.policyBody(digest),
    list: (tenant, filter, limit, position) => reader.list(tenant, filter, limit, position),
    close: () => reader.close(),
    record: refuse,
    check: refuse,
  }
}

/** The audit record of a SQLite database, in use or not. */
export async function databaseRecords(file: string): Promise<Records> {
  const reader = await openSqliteReader({ file })
  return {
    pages: (filter, pageSize) => pagesOf(reader, filter, pageSize),
    async verdict(id) {
      const stored = await reader.verdict(defaultTenant, id)
      if (stored === undefined) throw new ImagegateError('VERDICT_NOT_FOUND', `There is no verdict ${id}.`)
      return stored.body
    },
    replay: (id) => replay(readOnly(reader), defaultTenant, id),
    close: () => reader.close(),
  }
}
