import type { ReadFilter, ToldRead } from '../audit/reads.ts'
import { answers, integer, object, text } from './answer-schemas.ts'
import type { ListedPage } from './limited.ts'
import { type Get, parseAnswer, unexpected } from './server-client.ts'

const read = object({
  id: text,
  at: text,
  caller: text,
  roles: { type: 'array', items: text },
  operation: text,
  verdict: { type: ['string', 'null'] },
  request: object({ path: { type: 'object' }, query: { type: 'object' } }),
  status: integer,
  answered: { type: ['integer', 'null'] },
  requestId: text,
})
const isPage = answers.compile<{ readonly reads: readonly ToldRead[]; readonly next?: string }>(
  object({ reads: { type: 'array', items: read }, next: text }, ['next']),
)

/** Who has read the audit trail of a running imagegate, newest first. */
export async function* serverReads(
  get: Get,
  filter: ReadFilter,
  pageSize: number,
): AsyncGenerator<ListedPage<ToldRead>, void, void> {
  const limit = String(pageSize)
  for (let query: Readonly<Record<string, string>> = { ...filter, limit }; ; ) {
    const page = parseAnswer(await get('v1/reads', query))
    if (!isPage(page)) throw unexpected('It did not answer with a list of reads.')
    const { reads: rows, next } = page
    yield { rows, ...(next !== undefined && { next }) }
    if (next === undefined) return
    query = { limit, cursor: next }
  }
}
