import { generateKeyPairSync } from 'node:crypto'
import type { Test } from 'tap'
import { type ChainEntry, emptyHead, faultOfProof, linkOf, signCheckpoint } from '../../server/audit/chain.ts'
import { makeCheckpoints } from '../../server/audit/checkpoint-maker.ts'
import type { StoreReader } from '../../server/audit/store.ts'
import { sha256 } from '../../server/digest.ts'
import type { Room } from './contract.ts'
import { identityAt } from './records.ts'

/** What is wrong with a tenant's chain as a reader tells it, checked against the verdicts themselves; and its entries. */
export async function readChain(store: StoreReader, tenant: string) {
  const entries: ChainEntry[] = []
  const faults: string[] = []
  for (;;) {
    const page = await store.entries(tenant, entries.length, 500)
    for (const entry of page) {
      const last = entries.at(-1) ?? emptyHead
      if (entry.sequence !== last.sequence + 1) faults.push(`${entry.sequence} stands after ${last.sequence}`)
      if (entry.previousLink !== last.link) faults.push(`${entry.sequence} does not name the link before`)
      if (linkOf(entry) !== entry.link) faults.push(`${entry.sequence} has another link than its own`)
      const verdict = await store.verdict(tenant, entry.verdictId)
      if (sha256(verdict?.body ?? '') !== entry.recordDigest) faults.push(`${entry.sequence} seals another verdict`)
      entries.push(entry)
    }
    if (page.length === 0) return { entries, faults }
  }
}

/** Waits until so many verdicts of a tenant are sealed: at once on SQLite, soon after on PostgreSQL. */
export async function sealed(store: StoreReader, tenant: string, count: number) {
  const until = performance.now() + 10_000
  for (;;) {
    const chain = await readChain(store, tenant)
    if (chain.entries.length >= count || performance.now() > until) return chain
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Every verdict is sealed once, those of one tenant in a chain of their own. */
export async function sealsVerdicts(t: Test, { store, tenant, make }: Room) {
  const other = `${tenant}-other`
  const mine = Array.from({ length: 700 }, () => make())
  const theirs = Array.from({ length: 30 }, () => make({ tenant: other }))
  await Promise.all([...mine, ...theirs].map((record) => store.record(record)))
  for (const [whose, records] of [
    [tenant, mine],
    [other, theirs],
  ] as const) {
    const { entries, faults } = await sealed(store, whose, records.length)
    t.same(faults, [])
    t.same(entries.map(({ verdictId }) => verdictId).sort(), records.map(({ verdict }) => verdict.id).sort())
  }
  const { entries } = await readChain(store, tenant)
  const changes = [...(await store.changes(tenant, 0, 500)), ...(await store.changes(tenant, 500, 500))]
  t.same(
    changes.map(({ sequence, link, verdict }) => [sequence, link, verdict.id, verdict.recordDigest]),
    entries.map(({ sequence, link, verdictId, recordDigest }) => [sequence, link, verdictId, recordDigest]),
    'the feed follows the chain',
  )
  t.same(await store.changes(tenant, 700, 1), [])
  t.same((await store.entries(tenant, 699, 500)).length, 1)
  t.same(await store.entries(tenant, 700, 500), [])
}

/** Sealed verdicts are counted by day, rule and missing fact; what was replayed, refused or of another tenant is not. */
export async function countsVerdicts(t: Test, { store, tenant, make }: Room) {
  const at = (day: number, order: number) => identityAt(`2026-03-0${day}T23:59:59.999Z`, order)
  const first = make({ identity: at(1, 0), failed: ['a.b', 'a.c'], missing: ['/os', '/a\nb\t/\u0000'] })
  const kept = [
    first,
    make({ identity: at(1, 1), failed: ['a.b'], unknown: ['a.d'], family: 'windows-server' }),
    make({ identity: at(2, 2), failed: ['a.b'], missing: ['/os'], idempotency: { key: 'k', fingerprint: 'f' } }),
    make({ identity: at(3, 3), failed: ['a.c'] }),
  ]
  for (const record of kept) await store.record(record)
  await store.record(make({ tenant: `${tenant}-other`, identity: at(1, 4), failed: ['a.b'] }))
  t.same((await store.record(make({ idempotency: { key: 'k', fingerprint: 'f' } }))).kind, 'replayed')
  await t.rejects(store.record(make({ identity: at(1, 0) })))
  await sealed(store, tenant, kept.length)
  const period = { from: '2026-03-01', to: '2026-03-03' }
  t.same(await store.countsByDay(tenant, period, ''), [
    { day: '2026-03-01', result: 'not_ready', verdicts: 2 },
    { day: '2026-03-02', result: 'not_ready', verdicts: 1 },
  ])
  t.same(await store.countsByDay(tenant, { ...period, family: 'linux' }, 'a.b'), [
    { day: '2026-03-01', result: 'fail', verdicts: 1 },
    { day: '2026-03-02', result: 'fail', verdicts: 1 },
  ])
  const frequent = (result: string, limit = 10) => store.mostFrequent(tenant, period, result, limit)
  t.same(await frequent('fail'), [
    { subject: 'a.b', verdicts: 3 },
    { subject: 'a.c', verdicts: 1 },
  ])
  t.same(await frequent('fail', 1), [{ subject: 'a.b', verdicts: 3 }])
  t.same(await frequent('unknown'), [{ subject: 'a.d', verdicts: 1 }])
  t.same(await frequent('missing'), [
    { subject: '/os', verdicts: 2 },
    { subject: '/a\nb\t/\u0000', verdicts: 1 },
  ])
  t.equal((await frequent('pass', 500)).length, 45)
  t.same(await store.mostFrequent(tenant, { from: '2026-03-03', to: '2026-03-04' }, 'fail', 10), [
    { subject: 'a.c', verdicts: 1 },
  ])
}

/** What was refused, replayed or in conflict takes no place in the chain. */
export async function leavesNoGaps(t: Test, { store, tenant, make }: Room) {
  const first = make()
  await store.record(first)
  const records = Array.from({ length: 60 }, (_, index) => {
    if (index % 3 === 0) return make({ identity: { id: first.verdict.id, recordedAt: first.verdict.recordedAt } })
    if (index % 3 === 1) return make({ idempotency: { key: `k${index % 2}`, fingerprint: `f${index % 4}` } })
    return make()
  })
  const results = await Promise.allSettled(records.map((record) => store.record(record)))
  const kinds = results.map((result) => (result.status === 'fulfilled' ? result.value.kind : 'failed'))
  t.same([...new Set(kinds)].sort(), ['conflict', 'failed', 'recorded', 'replayed'])
  const kept = records.filter((_, index) => kinds[index] === 'recorded')
  const { entries, faults } = await sealed(store, tenant, kept.length + 1)
  t.same(faults, [])
  t.same(entries.map(({ verdictId }) => verdictId).sort(), [first, ...kept].map(({ verdict }) => verdict.id).sort())
}

/** Checkpoints are made once of each segment, whoever makes them, and prove the verdicts of their tenant alone. */
export async function provesVerdicts(t: Test, { store, tenant, make }: Room) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const log = { warn: () => undefined, info: () => undefined }
  const options = { store, key: privateKey, log, now: () => new Date() }
  const records = Array.from({ length: 30 }, () => make())
  const [first, last] = [records[0], make()]
  for (const half of [records.slice(0, 20), records.slice(20)]) {
    await Promise.all(half.map((record) => store.record(record)))
    await sealed(store, tenant, half.length)
    await Promise.all([makeCheckpoints(options, true), makeCheckpoints(options, true)])
  }
  await sealed(store, tenant, 30)
  await makeCheckpoints(options, true)
  const checkpoints = await store.checkpoints(tenant, 0, 500)
  t.equal(checkpoints.at(-1)?.sequence, 30)
  for (const [index, { from }] of checkpoints.entries()) t.equal(from, (checkpoints[index - 1]?.sequence ?? 0) + 1)
  t.same(await store.checkpoints(tenant, 30, 500), [])
  const covered = (await store.coverage()).find((one) => one.tenant === tenant)
  t.same(covered, { tenant, sealed: 30, covered: 30 })
  for (const { verdict, body } of records) {
    const proof = await store.proof(tenant, verdict.id)
    if (typeof proof !== 'object') throw new Error('There is no proof.')
    t.equal(faultOfProof(proof, [publicKey], body), undefined)
  }
  t.equal(await store.proof(`${tenant}-other`, first?.verdict.id ?? ''), undefined)
  t.equal(await store.proof(tenant, last.verdict.id), undefined)
  await store.record(last)
  t.match(await store.proof(tenant, last.verdict.id), /^un(covered|sealed)$/)
  const segment = { tenant, from: 25, links: ['sha256:x'] }
  t.equal(await store.addCheckpoint(signCheckpoint(segment, new Date().toISOString(), privateKey)), 'taken')
}
