import type { ListPosition } from '../audit/list-position.ts'
import { openReader } from '../audit/open.ts'
import { type ReadFilter, type ToldRead, told } from '../audit/reads.ts'
import { dayStatistics, frequencyStatistics, periodOf } from '../audit/statistics.ts'
import { defaultTenant, type StoreReader, type VerdictFilter } from '../audit/store.ts'
import type { DatabasePlace } from '../database.ts'
import { ImagegateError } from '../errors.ts'
import { replay } from '../evaluation/replay.ts'
import { timeline } from '../evaluation/timeline.ts'
import type { ListedPage } from './limited.ts'
import type { Records, RecordsPage } from './records.ts'
import { UsageError } from './usage.ts'

const id = /^[0-9a-f-]{36}$/

function positionOf(text: string): ListPosition {
  const [upTo = '', before = ''] = text.split(' ')
  if (!id.test(upTo) || !id.test(before)) throw new UsageError('The position in the list is not one of a database.')
  return { upTo, before }
}

async function* pagesOf(
  { reader, tenant }: { reader: StoreReader; tenant: string },
  filter: VerdictFilter,
  pageSize: number,
  from?: string,
): AsyncGenerator<RecordsPage, void, void> {
  let position = from === undefined ? undefined : positionOf(from)
  do {
    const { verdicts, next } = await reader.list(tenant, filter, pageSize, position)
    yield { verdicts, ...(next === undefined ? {} : { next: `${next.upTo} ${next.before}` }) }
    position = next
  } while (position !== undefined)
}

async function* readsOf(
  { reader, tenant }: { reader: StoreReader; tenant: string },
  filter: ReadFilter,
  pageSize: number,
): AsyncGenerator<ListedPage<ToldRead>, void, void> {
  let position: ListPosition | undefined
  do {
    const { reads, next } = await reader.reads(tenant, filter, pageSize, position)
    yield { rows: reads.map(told), ...(next !== undefined && { next }) }
    position = next
  } while (position !== undefined)
}

/** One tenant's audit record in a database, in use or not. */
export async function databaseRecords(place: DatabasePlace, tenant = defaultTenant): Promise<Records> {
  const reader = await openReader(place)
  return {
    pages: (filter, pageSize, from) => pagesOf({ reader, tenant }, filter, pageSize, from),
    async verdict(id) {
      const stored = await reader.verdict(tenant, id)
      if (stored === undefined) throw new ImagegateError('VERDICT_NOT_FOUND', `There is no verdict ${id}.`)
      return stored.body
    },
    replay: (id) => replay(reader, tenant, id),
    timeline: async (filter, limit) => (await timeline(reader, { tenant, filter, limit })).entries,
    days: async (period, { rule, missingFact }) =>
      dayStatistics(reader, tenant, periodOf(period, new Date()), rule ?? missingFact),
    frequencies: async (period, of, limit) =>
      frequencyStatistics(reader, tenant, periodOf(period, new Date()), {
        result: of === 'rules' ? 'fail' : 'missing',
        limit,
      }),
    reads: (filter, pageSize) => readsOf({ reader, tenant }, filter, pageSize),
    close: () => reader.close(),
  }
}
