import { join } from 'node:path'
import { type Test, test } from 'tap'
import { examined } from '../../server/audit/list-reach.ts'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import { sha256 } from '../../server/digest.ts'
import type { GivenOptions } from '../../server/evaluation/options.ts'
import { evaluateAndRecord } from '../../server/evaluation/record.ts'
import { type TimelineEntry, timeline } from '../../server/evaluation/timeline.ts'
import { DocumentSections, timelineRecord } from '../../server/evaluation/timeline-record.ts'
import { parseFacts } from '../../server/facts/parse.ts'
import type { PolicySet } from '../../server/policy/set.ts'
import { makeRecord, submittedBy } from '../audit/records.ts'
import { goodSet } from '../http/policy-sets.ts'
import { example } from '../http/support.ts'

const ready = JSON.parse(example('linux/ready.json').toString())

interface Step {
  readonly set: PolicySet
  readonly change?: (facts: typeof ready) => void
  readonly given?: GivenOptions
}

/** Records one verdict a step, of one image, and gives its timeline, oldest first. */
async function timelineOf(t: Test, steps: readonly Step[]): Promise<readonly TimelineEntry[]> {
  const store = await openSqliteStore({ file: join(t.testdir(), 'imagegate.db') })
  t.teardown(() => store.close())
  for (const { set, change, given = {} } of steps) {
    const facts = structuredClone(ready)
    change?.(facts)
    await evaluateAndRecord(
      { policies: set, store, now: () => new Date('2026-01-01T00:00:00Z') },
      { tenant: 'default', submittedBy, facts: parseFacts(Buffer.from(JSON.stringify(facts))), given },
    )
  }
  const filter = { imageName: String(ready.image.name) }
  const all = await timeline(store, { tenant: 'default', filter, limit: 100 })
  const paged: TimelineEntry[] = []
  for (let position = all.next; ; ) {
    const page = await timeline(store, { tenant: 'default', filter, limit: 2, position })
    paged.push(...page.entries)
    position = page.next
    if (position === undefined) break
  }
  t.same(paged, all.entries, 'pages say the same as the whole')
  return all.entries.toReversed()
}

test('the timeline of an image names why each verdict may differ from the one before', async (t) => {
  const [one, two] = [(await goodSet(1)).set, (await goodSet(2)).set]
  const early = { asOf: '2020-12-31T00:00:00Z' }
  const late = { asOf: '2025-01-01T00:00:00Z' }
  const entries = await timelineOf(t, [
    { set: one },
    { set: one },
    { set: one, change: (facts) => delete facts.files },
    { set: one, given: { importAs: 'others-linux' } },
    { set: one },
    { set: two },
    { set: two, given: early },
    { set: two, given: late },
    { set: two, given: { policyVersion: '1.0.0' } },
  ])
  t.same(
    entries.map(({ change }) => change?.causes),
    [undefined, [], ['facts'], ['facts', 'options'], ['options'], ['policy'], ['clock'], ['clock'], ['policy']],
  )
  t.same(
    entries.map(({ change }) => change?.sections),
    [undefined, undefined, ['files'], ['files'], ...Array(5).fill(undefined)],
  )
  for (const [index, { verdict, change }] of entries.entries()) {
    if (index > 0) t.equal(change?.since, entries[index - 1]?.verdict.id)
    const before = entries[index - 1]?.verdict.outcome
    const outcome =
      before === undefined || before === verdict.outcome ? undefined : { from: before, to: verdict.outcome }
    t.same(change?.outcome, outcome)
  }
  t.same(entries[1]?.change?.findings, [])
  const [third] = entries[2]?.change?.findings ?? []
  t.match(third, { from: { result: 'pass' }, to: { result: 'unknown' } })
})

test('a record of which the timeline cannot tell what it compares is no verdict', (t) => {
  const text = makeRecord().body
  t.equal(timelineRecord({ id: 'a', body: text }).rules.size, JSON.parse(text).findings.length)
  const broken: readonly ((verdict: ReturnType<typeof JSON.parse>) => unknown)[] = [
    () => null,
    () => [],
    ({ asOf: _, ...rest }) => rest,
    (verdict) => ({ ...verdict, evaluator: '1' }),
    (verdict) => ({ ...verdict, policy: { ...verdict.policy, digest: 1 } }),
    (verdict) => ({ ...verdict, options: null }),
    (verdict) => ({ ...verdict, findings: {} }),
    (verdict) => ({ ...verdict, findings: [{ rule: 'linux.a', result: 'pass' }] }),
  ]
  for (const change of broken) {
    const body = JSON.stringify(change(JSON.parse(text)))
    t.throws(() => timelineRecord({ id: 'a', body }), { code: 'INTERNAL' }, body.slice(0, 100))
  }
  t.end()
})

test('sections are told apart only while both documents are there', (t) => {
  const { body } = makeRecord()
  const record = (documentDigest: string, document?: string) =>
    timelineRecord({
      id: documentDigest,
      body: JSON.stringify({ ...JSON.parse(body), documentDigest }),
      ...(document !== undefined && { document }),
    })
  const sections = new DocumentSections()
  const one = record('a', '{"collection":1,"disks":[1],"files":{},"schema":"x"}')
  const other = record('b', '{"collection":2,"disks":[2],"files":{},"packages":{},"schema":"y"}')
  t.same(sections.differing(one, other), ['disks', 'packages'])
  t.same(sections.differing(one, one), [])
  t.equal(sections.differing(one, record('c', 'expired')), undefined)
  t.equal(sections.differing(record('d'), other), undefined)
  t.end()
})

test('verdicts of a name and a digest that seldom meet stand in one timeline, however far apart', async (t) => {
  const store = await openSqliteStore({ file: join(t.testdir(), 'imagegate.db') })
  t.teardown(() => store.close())
  const [wanted, other] = [sha256('wanted'), sha256('other')]
  const of = (imageName: string, imageDigest: string) => makeRecord({ subject: { imageName, imageDigest } })
  const [oldest, newest] = [of('web', wanted), of('web', wanted)]
  const between = Array.from({ length: 2 * examined }, (_, n) => (n % 2 === 0 ? of('web', other) : of('db', wanted)))
  for (const records of [[oldest], between, [newest]]) await Promise.all(records.map((record) => store.record(record)))
  const filter = { imageName: 'web', imageDigest: wanted }
  const { entries, next } = await timeline(store, { tenant: 'default', filter, limit: 2 })
  t.equal(next, undefined)
  t.same(
    entries.map(({ verdict, change }) => [verdict.imageName, verdict.imageDigest, change?.causes]),
    [
      ['web', wanted, []],
      ['web', wanted, undefined],
    ],
  )
})
