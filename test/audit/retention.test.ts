import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Test, test } from 'tap'
import { signCheckpoint } from '../../server/audit/chain.ts'
import { openSnapshot } from '../../server/audit/open.ts'
import { openPostgresStore } from '../../server/audit/postgres.ts'
import { expireFacts, openExpiry } from '../../server/audit/retention.ts'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import type { Store } from '../../server/audit/store.ts'
import { verifyDatabase } from '../../server/audit/verify-database.ts'
import { AuditProblems } from '../../server/audit/verify-problems.ts'
import type { DatabasePlace } from '../../server/database.ts'
import type { Checkpoint } from '../../server/documents/checkpoint.ts'
import { noPostgres, startPostgres } from '../support/postgres.ts'
import { identityAt, makeRecord } from './records.ts'

const reason = 'older than a year'
const { privateKey, publicKey } = generateKeyPairSync('ed25519')

async function expires(t: Test, store: Store, place: DatabasePlace) {
  t.teardown(() => store.close())
  const record = async (time: string, order: number, facts: string, tenant = 'default') => {
    const made = makeRecord({ identity: identityAt(time, order), facts, tenant })
    await store.record(made)
    return made
  }
  const old = []
  for (let index = 0; index < 450; index += 1) old.push(await record('2025-01-01T00:00:00Z', index, `old ${index}`))
  const usedAgain = await record('2025-01-01T00:00:00Z', 500, 'used again')
  await record('2026-01-01T00:00:00Z', 0, 'used again')
  const theirs = await record('2025-01-01T00:00:00Z', 501, 'theirs', 'other')
  const sealed = async (tenant: string) => (await store.entries(tenant, 0, 500)).map(({ link }) => link)
  while ((await sealed('default')).length < 452 || (await sealed('other')).length < 1) await sleep(20)
  const links = await sealed('default')
  const checkpoint = signCheckpoint({ tenant: 'default', from: 1, links }, '2026-01-02T00:00:00.000Z', privateKey)
  t.equal(await store.addCheckpoint(checkpoint), 'added')
  const documentOf = ({ verdict }: typeof usedAgain) => store.document(verdict.tenant, verdict.documentDigest)
  const target = await openExpiry(place)
  t.teardown(() => target.close())
  const order = { before: Date.parse('2025-06-01T00:00:00Z'), reason, tenant: 'default' }

  const bytes = old.reduce((sum, { document }) => sum + Buffer.byteLength(document), 0)
  t.same(await expireFacts(target, { ...order, dryRun: true }), { documents: 450, bytes })
  t.equal(await documentOf(theirs), theirs.document, 'a dry run removes nothing')
  t.same(await expireFacts(target, order), { documents: 450, bytes })
  for (const one of old) t.equal(await documentOf(one), 'expired')
  t.equal(await documentOf(usedAgain), usedAgain.document, 'a document that a newer verdict has is kept')
  t.equal(await documentOf(theirs), theirs.document, "and so is another tenant's")
  t.same(await expireFacts(target, order), { documents: 0, bytes: 0 }, 'once')
  const [first] = old
  t.equal((await store.verdict('default', first?.verdict.id ?? ''))?.body, first?.body, 'verdicts stay')
  const { tenant: _tenant, ...all } = order
  t.match(await expireFacts(target, all), { documents: 1 })
  t.equal(await documentOf(theirs), 'expired')

  const { tenants, problems } = await verified(place, checkpoint)
  t.same(problems.named, [], 'everything else is as it was recorded')
  t.match(tenants, [
    { tenant: 'default', entries: 452, verdicts: 452, head: links.at(-1), outside: { sequence: 452 }, notCovered: 0 },
    { tenant: 'other', entries: 1, verdicts: 1 },
  ])
}

/** What `imagegate audit verify` finds, with a checkpoint that was signed before anything expired. */
async function verified(place: DatabasePlace, checkpoint: Checkpoint) {
  const problems = new AuditProblems()
  const snapshot = await openSnapshot(place)
  try {
    const given = { keys: [publicKey], outside: new Map([['default', [checkpoint]]]), now: Date.now() }
    const tenants = await verifyDatabase({ snapshot, ...given, progress: () => undefined }, problems)
    return { tenants, problems }
  } finally {
    await snapshot.close()
  }
}

test('facts of old verdicts expire on SQLite, nothing else does, and the chain verifies', async (t) => {
  const file = join(t.testdir(), 'imagegate.db')
  await expires(t, await openSqliteStore({ file }), { kind: 'sqlite', file })
})

test('facts of old verdicts expire on PostgreSQL, nothing else does, and the chain verifies', {
  skip: noPostgres,
}, async (t) => {
  const url = await (await startPostgres(t)).create()
  await expires(t, await openPostgresStore({ url }), { kind: 'postgres', url })
})
