import { openSqliteReader } from '../audit/sqlite.ts'
import { defaultTenant, type ListPosition, type StoreReader, type VerdictFilter } from '../audit/store.ts'
import { ImagegateError } from '../errors.ts'
import { replay } from '../evaluation/replay.ts'
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
    replay: (id) => replay(reader, defaultTenant, id),
    close: () => reader.close(),
  }
}
