import type { Test } from 'tap'
import type { AuditRead, ReadFilter } from '../../server/audit/reads.ts'
import type { Store } from '../../server/audit/store.ts'
import { identityAt } from './records.ts'

/** A read at a time; the order makes its id differ from others of that time. */
export function readAt(time: string, order: number, more: Partial<AuditRead> = {}): AuditRead {
  const { id, recordedAt } = identityAt(time, order)
  return {
    id,
    at: recordedAt,
    caller: 'key:reader',
    roles: ['reader'],
    operation: 'getVerdict',
    verdict: null,
    request: '{"path":{},"query":{}}',
    status: 200,
    answered: 1,
    requestId: '00000000-0000-4000-8000-000000000001',
    ...more,
  }
}

/** Reads are found as they were recorded, by each filter and page by page, in their tenant alone. */
export async function keepsReads(t: Test, { store, tenant }: { store: Store; tenant: string }): Promise<void> {
  const verdict = identityAt('2026-01-01T00:00:00Z').id
  const first = readAt('2026-01-01T00:00:00Z', 1)
  const second = readAt('2026-01-01T12:00:00.500Z', 2, {
    caller: 'token:a\u0000b \u001a ☃',
    roles: ['auditor', 'operator'],
    operation: 'listVerdicts',
    request: JSON.stringify({ path: {}, query: { text: 'nul \0, substitute \u001a, \\u0000 "ü"' } }),
    status: 304,
    answered: 0,
  })
  const third = readAt('2026-01-02T00:00:00Z', 3, { operation: 'getFacts', verdict, answered: null, roles: [] })
  const fourth = readAt('2026-01-02T00:00:00Z', 4, {
    caller: 'key:auditor',
    operation: 'getFacts',
    verdict,
    status: 404,
  })
  // At once, so that they share a commit with each other.
  await Promise.all([fourth, second, first, third].map((read) => store.recordRead(tenant, read)))
  await store.recordRead(`${tenant}-other`, readAt('2026-01-02T00:00:00Z', 5))
  t.same((await store.reads(tenant, {}, 10)).reads, [fourth, third, second, first])
  t.equal((await store.reads(`${tenant}-other`, {}, 10)).reads.length, 1)
  const expected: readonly (readonly [ReadFilter, readonly AuditRead[]])[] = [
    [{ caller: 'key:reader' }, [third, first]],
    [{ caller: second.caller }, [second]],
    [{ operation: 'getFacts' }, [fourth, third]],
    [{ caller: 'key:reader', operation: 'getFacts' }, [third]],
    [{ caller: 'key:auditor', operation: 'listVerdicts' }, []],
    [{ verdict }, [fourth, third]],
    [{ verdict, caller: 'key:auditor' }, [fourth]],
    [{ verdict, operation: 'getVerdict' }, []],
    [{ verdict, caller: 'key:reader', operation: 'getFacts', from: '2026-01-01T00:00:00Z' }, [third]],
    [{ from: '2026-01-01T12:00:00.500Z' }, [fourth, third, second]],
    [{ from: '2026-01-01T12:00:00.5001Z' }, [fourth, third]],
    [{ to: '2026-01-01T12:00:00.500Z' }, [first]],
    [{ to: '2026-01-01T12:00:00.501Z', caller: 'key:reader' }, [first]],
    [{ from: '2026-01-02T00:00:00Z', to: '2026-01-02T00:00:00.001Z', operation: 'getFacts' }, [fourth, third]],
  ]
  for (const [filter, reads] of expected) {
    t.same((await store.reads(tenant, filter, 10)).reads, reads, JSON.stringify(filter))
  }
  const page = await store.reads(tenant, {}, 2)
  t.same(page, { reads: [fourth, third], next: { upTo: fourth.id, before: third.id } })
  await store.recordRead(tenant, readAt('2026-01-03T00:00:00Z', 6))
  t.same(await store.reads(tenant, {}, 2, page.next), { reads: [second, first] })
  const pinned = { upTo: third.id, before: identityAt('2026-01-04T00:00:00Z').id }
  t.same((await store.reads(tenant, {}, 1, pinned)).reads, [third])
  await t.rejects(store.reads(tenant, { from: 'yesterday' }, 10), { code: 'OPTION_INVALID' })
}

/** A read that the database refuses fails alone, and so does a verdict beside it. */
export async function failsReadsAlone(
  t: Test,
  { store, tenant, make }: { store: Store; tenant: string; make: () => Parameters<Store['record']>[0] },
): Promise<void> {
  const taken = readAt('2026-01-01T00:00:00Z', 1)
  await store.recordRead(tenant, taken)
  const [good, twin] = [make(), make()]
  await store.record(twin)
  const results = await Promise.allSettled([
    store.recordRead(tenant, readAt('2026-01-01T00:00:00Z', 2)),
    store.record(good),
    store.recordRead(tenant, { ...taken, caller: 'key:other' }),
    store.record(twin),
    store.recordRead(tenant, readAt('2026-01-01T00:00:00Z', 3)),
  ])
  t.match(results, [
    { status: 'fulfilled' },
    { status: 'fulfilled', value: { kind: 'recorded' } },
    { status: 'rejected', reason: { code: 'INTERNAL' } },
    { status: 'rejected', reason: { code: 'INTERNAL' } },
    { status: 'fulfilled' },
  ])
  const { reads } = await store.reads(tenant, {}, 10)
  t.same(
    reads.map(({ caller }) => caller),
    ['key:reader', 'key:reader', 'key:reader'],
    'what was recorded stays as it was',
  )
  t.equal((await store.verdict(tenant, good.verdict.id))?.body, good.body)
}
