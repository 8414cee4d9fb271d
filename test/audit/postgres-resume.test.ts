import { test } from 'tap'
import { idFloor, newIdentity } from '../../server/audit/identity.ts'
import { openPostgresStore } from '../../server/audit/postgres.ts'
import type { VerdictRecord } from '../../server/audit/store.ts'
import { noPostgres, startPostgres } from '../support/postgres.ts'
import { identityAt, makeRecord } from './records.ts'

const minute = 60_000

/** A verdict of a tenant that a replica recorded whose clock is so many milliseconds ahead of this one's. */
function recordAhead(tenant: string, ahead: number): VerdictRecord {
  return makeRecord({ tenant, identity: identityAt(new Date(Date.now() + ahead).toISOString()) })
}

async function recordAll(url: string, records: readonly VerdictRecord[]): Promise<void> {
  const store = await openPostgresStore({ url })
  for (const record of records) await store.record(record)
  await store.close()
}

/** Opens and closes a database as a start of the service does, and gives what it logged. */
async function start(url: string): Promise<readonly string[]> {
  const logged: string[] = []
  const log = (_: object, message: string) => logged.push(message)
  await (await openPostgresStore({ url, log: { info: log, warn: log } })).close()
  return logged
}

// The order of these counts: identities of a process only go on.
test('identities go on after a start on PostgreSQL', { skip: noPostgres }, async (t) => {
  const databases = await startPostgres(t)

  await t.test('those that a wrong clock recorded days ahead are told and left out', async (t) => {
    const url = await databases.create()
    await recordAll(url, [recordAhead('one', 3 * 24 * 60 * minute)])
    t.match(await start(url), [/more than an hour ahead of the clock/])
    t.ok(newIdentity().id < idFloor(Date.now() + minute), 'time is that of the clock')
    const near = recordAhead('one', 10 * minute)
    await recordAll(url, [near])
    await start(url)
    t.ok(newIdentity().id > near.verdict.id, 'and the newest within the hour still counts')
  })

  await t.test('after the newest of all tenants, whichever it is', async (t) => {
    const url = await databases.create()
    const newest = recordAhead('two', 30 * minute)
    await recordAll(url, [recordAhead('one', 20 * minute), newest, recordAhead('three', 25 * minute)])
    t.ok(newIdentity().id < newest.verdict.id)
    t.same(await start(url), [])
    const { id, recordedAt } = newIdentity()
    t.ok(id > newest.verdict.id)
    t.ok(recordedAt > newest.verdict.recordedAt)
  })
})
