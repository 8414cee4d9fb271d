import type { StoredRecord, VerdictFilter, VerdictSummary } from '../audit/store.ts'
import { ImagegateError } from '../errors.ts'
import type { Replay } from '../evaluation/replay.ts'
import type { TimelineEntry } from '../evaluation/timeline.ts'
import { answers, integer, object, text } from './answer-schemas.ts'
import { askEach, patient } from './patient.ts'
import type { Records, RecordsPage } from './records.ts'
import { clientOf, type Get, parseAnswer, unexpected } from './server-client.ts'
import type { ServerPlace } from './server-place.ts'
import { serverReads } from './server-reads.ts'
import { serverStatistics } from './server-statistics.ts'

interface Page {
  readonly verdicts: readonly VerdictSummary[]
  readonly next?: string
}

const optionalText = { type: ['string', 'null'] }
const summary = object({
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
})
const isPage = answers.compile<Page>(
  object(
    {
      verdicts: { type: 'array', items: summary },
      next: text,
    },
    ['next'],
  ),
)
const isReplay = answers.compile<Replay>(
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

const ruleState = { oneOf: [{ const: 'absent' }, object({ result: text, effect: text })] }
const texts = { type: 'array', items: text }
const isTimeline = answers.compile<{ readonly entries: readonly TimelineEntry[]; readonly next?: string }>(
  object(
    {
      next: text,
      entries: {
        type: 'array',
        items: object(
          {
            verdict: summary,
            change: object(
              {
                since: text,
                causes: texts,
                sections: texts,
                outcome: object({ from: text, to: text }),
                findings: { type: 'array', items: object({ rule: text, from: ruleState, to: ruleState }) },
              },
              ['sections', 'outcome'],
            ),
          },
          ['change'],
        ),
      },
    },
    ['next'],
  ),
)

async function documentOf(get: Get, path: string): Promise<string | undefined> {
  try {
    return await get(`${path}/facts`)
  } catch (error) {
    if (!(error instanceof ImagegateError)) throw error
    if (error.code === 'FACTS_EXPIRED') return 'expired'
    // So it answers for a record without its document, which is told with the record and ends nothing.
    if (error.code === 'INTERNAL') return undefined
    throw error
  }
}

async function recordOf(get: Get, id: string, path: string, facts: boolean): Promise<StoredRecord> {
  const [body, document] = await Promise.all([get(path), facts ? documentOf(get, path) : undefined])
  return { id, body, ...(document === undefined ? {} : { document }) }
}

async function* pagesOf(
  get: Get,
  filter: VerdictFilter,
  pageSize: number,
  from?: string,
): AsyncGenerator<RecordsPage, void, void> {
  const limit = String(pageSize)
  let query: Readonly<Record<string, string>> = from === undefined ? { ...filter, limit } : { limit, cursor: from }
  for (let ask = get; ; ask = patient(get)) {
    const page = parseAnswer(await ask('v1/verdicts', query))
    if (!isPage(page)) throw unexpected('It did not answer with a list of verdicts.')
    yield page
    if (page.next === undefined) return
    query = { limit, cursor: page.next }
  }
}

/** Entries that a page of a server's timeline holds at most. */
const maxTimeline = 50

async function timelineOf(
  get: Get,
  image: Pick<VerdictFilter, 'imageName' | 'imageDigest'>,
  limit: number,
): Promise<readonly TimelineEntry[]> {
  const entries: TimelineEntry[] = []
  let asked: Readonly<Record<string, string>> = image
  for (let ask = get; ; ask = patient(get)) {
    const size = String(Math.min(limit - entries.length, maxTimeline))
    const page = parseAnswer(await ask('v1/timeline', { ...asked, limit: size }))
    if (!isTimeline(page)) throw unexpected('It did not answer with a timeline.')
    entries.push(...page.entries)
    if (page.next === undefined || entries.length >= limit) return entries
    asked = { cursor: page.next }
  }
}

/** The audit record of a running imagegate. Throws a UsageError for what is no address. */
export function serverRecords(server: ServerPlace): Records {
  const get = clientOf(server)
  const again = patient(get)
  const path = (id: string) => `v1/verdicts/${encodeURIComponent(id)}`
  return {
    pages: (filter, pageSize, from) => pagesOf(get, filter, pageSize, from),
    records: (listed, facts = true) => askEach(listed, ({ id }) => recordOf(again, id, path(id), facts)),
    verdict: (id) => get(path(id)),
    async replay(id) {
      const answer = parseAnswer(await get(`${path(id)}/replay`))
      if (!isReplay(answer)) throw unexpected('It did not answer with a replay.')
      return answer
    },
    timeline: (image, limit) => timelineOf(get, image, limit),
    ...serverStatistics(get),
    reads: (filter, pageSize) => serverReads(get, filter, pageSize),
    close: () => Promise.resolve(),
  }
}
