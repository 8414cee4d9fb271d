import type { Test } from 'tap'
import { examined } from '../../server/audit/list-reach.ts'
import type { ShadowRecord, Store, VerdictRecord } from '../../server/audit/store.ts'
import { sha256 } from '../../server/digest.ts'
import { makeRecord, type RecordWishes } from './records.ts'

/** What a test works with: the shared store, and a tenant and records that are its own. */
interface Room {
  readonly store: Store
  readonly tenant: string
  readonly make: (wishes?: RecordWishes) => VerdictRecord
}

type Difference = ShadowRecord['differences'][number]

const body = 'schema: imagegate.policy/1\nfamily: linux\nversion: "9.0.0"\n'
const candidate = { digest: sha256(body), family: 'linux', version: '9.0.0', body }
const pass: Difference['from'] = { effect: 'none', result: 'pass' }
const fail: Difference['from'] = { effect: 'block', result: 'fail' }

function shadow(outcome: ShadowRecord['outcome'], differences: readonly Difference[]): ShadowRecord {
  return { candidate, outcome, differences }
}

/** Shadow evaluations are counted and found beside their verdicts, by tenant and candidate. */
export async function keepsShadows(t: Test, { store, tenant, make }: Room) {
  const stricter: Difference = { rule: 'a.b', from: pass, to: fail }
  const gone: Difference = { rule: 'c.d', from: pass, to: 'absent' }
  const shadows = [
    shadow('ready', []),
    shadow('not_ready', [stricter]),
    shadow('not_ready', [stricter, gone]),
    shadow('ready', [gone]),
  ]
  const ids: string[] = []
  for (const one of shadows) {
    const record = { ...make({ outcome: 'ready' }), shadow: one }
    t.same(await store.record(record), { kind: 'recorded', shadow: 'kept' })
    ids.unshift(record.verdict.id)
  }
  const [newest = '', both = '', first = '', same = ''] = ids
  t.same(await store.shadowCounts(tenant, candidate.digest), [
    { from: 'ready', to: 'not_ready', evaluations: 2 },
    { from: 'ready', to: 'ready', evaluations: 2 },
    { rule: 'a.b', from: 'pass', to: 'fail', evaluations: 2 },
    { rule: 'c.d', from: 'pass', to: 'absent', evaluations: 2 },
  ])
  const found = async (filter: Parameters<Store['shadows']>[2], limit = 10, before?: string) => {
    const page = await store.shadows(tenant, candidate.digest, filter, limit, before)
    return [page.shadows.map(({ verdict }) => verdict), page.next]
  }
  t.same(await found({}), [[newest, both, first], undefined])
  t.same(await found({}, 2), [[newest, both], both])
  t.same(await found({}, 2, both), [[first], undefined])
  t.same(await found({ change: { from: 'ready', to: 'ready' } }), [[newest, same], undefined])
  t.same(await found({ rule: 'a.b' }, 1), [[both], both])
  t.same(await found({ rule: 'c.d', change: { from: 'ready', to: 'not_ready' } }), [[both], undefined])
  const [page] = (await store.shadows(tenant, candidate.digest, { rule: 'c.d' }, 1)).shadows
  t.same(JSON.parse(page?.differences ?? ''), [gone])
  t.equal(await store.policyBody(candidate.digest), body)
  t.same(await store.shadowCounts(`${tenant}-other`, candidate.digest), [])
  t.same((await store.shadows(tenant, sha256('another candidate'), {}, 10)).shadows, [])
  t.equal((await store.list(tenant, {}, 10)).verdicts.length, 4, 'the verdicts are an ordinary list')
}

/** A page of a rule and a change that hardly meet ends early, and says where the next goes on. */
export async function endsShadowsEarly(t: Test, { store, tenant, make }: Room) {
  const difference: Difference = { rule: 'a.b', from: pass, to: fail }
  const records = Array.from({ length: examined + 20 }, (_, n) => ({
    ...make({ outcome: 'ready' }),
    shadow: shadow(n === 5 ? 'undetermined' : 'not_ready', [difference]),
  }))
  await Promise.all(records.map((record) => store.record(record)))
  const filter = { rule: 'a.b', change: { from: 'ready', to: 'undetermined' } }
  const first = await store.shadows(tenant, candidate.digest, filter, 10)
  t.same(first, { shadows: [], next: records[20]?.verdict.id })
  const second = await store.shadows(tenant, candidate.digest, filter, 10, first.next)
  t.match(second, { shadows: [{ verdict: records[5]?.verdict.id }] })
  t.equal(second.next, undefined)
}

/** A retried key writes no second shadow, and equal rules of one shadow lose it and not its verdict. */
export async function losesShadowsAlone(t: Test, { store, tenant, make }: Room) {
  const twice: Difference = { rule: 'a.b', from: pass, to: fail }
  const spoilt = { ...make({ outcome: 'ready' }), shadow: shadow('not_ready', [twice, twice]) }
  t.same(await store.record(spoilt), { kind: 'recorded', shadow: 'lost' })
  t.equal((await store.verdict(tenant, spoilt.verdict.id))?.body, spoilt.body)
  t.same(await store.shadowCounts(tenant, candidate.digest), [], 'none of it is there in part')
  const idempotency = { key: 'k', fingerprint: 'f' }
  const record = () => store.record({ ...make({ outcome: 'ready', idempotency }), shadow: shadow('ready', []) })
  t.match([await record(), await record()], [{ kind: 'recorded', shadow: 'kept' }, { kind: 'replayed' }])
  t.same(await store.shadowCounts(tenant, candidate.digest), [{ from: 'ready', to: 'ready', evaluations: 1 }])
}

/** Bundles only go forward. They belong to no tenant, so this room has the store's only ones. */
export async function refusesOlderBundles(t: Test, { store }: Room) {
  const bundle = (sequence: number, text: string) => ({ sequence, digest: sha256(text), signedBy: sha256('key') })
  await store.acceptBundle(bundle(3, 'three'))
  await t.resolves(store.acceptBundle(bundle(3, 'three')), 'the same again')
  await t.rejects(store.acceptBundle(bundle(3, 'other')), { code: 'BUNDLE_ROLLBACK' }, 'another of the same sequence')
  await t.rejects(store.acceptBundle(bundle(2, 'two')), { code: 'BUNDLE_ROLLBACK' })
  await store.acceptBundle(bundle(2 ** 53 - 1, 'last'))
  await t.rejects(store.acceptBundle(bundle(4, 'four')), { code: 'BUNDLE_ROLLBACK' })
  const atOnce = await Promise.allSettled([5, 6].map((sequence) => store.acceptBundle(bundle(sequence, 'x'))))
  t.ok(atOnce.every(({ status }) => status === 'rejected'))
  t.match(await store.record(makeRecord()), { kind: 'recorded' }, 'a refusal leaves the writer at work')
}
