import type { VerdictFilter, VerdictSummary } from '../audit/store.ts'
import type { Replay } from '../evaluation/replay.ts'
import { strictAjv } from '../schemas.ts'
import type { Records, RecordsPage } from './records.ts'
import { clientOf, type Get, parseAnswer, unexpected } from './server-client.ts'

interface Page {
  readonly verdicts: readonly VerdictSummary[]
  readonly next?: string
}

const text = { type: 'string' }
const optionalText = { type: ['string', 'null'] }
const integer = { type: 'integer' }

function object(properties: Readonly<Record<string, unknown>>, optional: readonly string[] = []) {
  return { type: 'object', properties, required: Object.keys(properties).filter((name) => !optional.includes(name)) }
}

const ajv = strictAjv(false)
const isPage = ajv.compile<Page>(
  object(
    {
      verdicts: {
        type: 'array',
        items: object({
          id: text,
          recordedAt: text,
          outcome: text,
          family: text,
          policyVersion: text,
          policyDigest: text,
          osType: optionalText,
          osId: optionalText,
          osVersion: optionalText,
          imageName: optionalText,
          imageDigest: optionalText,
          factsDigest: text,
          documentDigest: text,
          recordDigest: text,
        }),
      },
      next: text,
    },
    ['next'],
  ),
)
const isReplay = ajv.compile<Replay>(
  object(
    {
      id: text,
      result: { enum: ['same', 'different', 'facts_expired'] },
      evaluator: object({ recorded: integer, current: integer }),
      firstDifference: text,
      reason: text,
    },
    ['firstDifference', 'reason'],
  ),
)

async function* pagesOf(get: Get, filter: VerdictFilter, pageSize: number): AsyncGenerator<RecordsPage, void, void> {
  const limit = String(pageSize)
  let query: Readonly<Record<string, string>> = { ...filter, limit }
  for (;;) {
    const page = parseAnswer(await get('v1/verdicts', query))
    if (!isPage(page)) throw unexpected('It did not answer with a list of verdicts.')
    yield { verdicts: page.verdicts, more: page.next !== undefined }
    if (page.next === undefined) return
    query = { limit, cursor: page.next }
  }
}

/** The audit record of a running imagegate. Throws a UsageError for what is no address. */
export function serverRecords(server: string): Records {
  const get = clientOf(server)
  const path = (id: string) => `v1/verdicts/${encodeURIComponent(id)}`
  return {
    pages: (filter, pageSize) => pagesOf(get, filter, pageSize),
    verdict: (id) => get(path(id)),
    async replay(id) {
      const answer = parseAnswer(await get(`${path(id)}/replay`))
      if (!isReplay(answer)) throw unexpected('It did not answer with a replay.')
      return answer
    },
    close: () => Promise.resolve(),
  }
}
