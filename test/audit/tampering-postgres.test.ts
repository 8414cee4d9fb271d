import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Test, test } from 'tap'
import { signCheckpoint } from '../../server/audit/chain.ts'
import { openSnapshot } from '../../server/audit/open.ts'
import { openPostgresStore } from '../../server/audit/postgres.ts'
import { openPool } from '../../server/audit/postgres-connection.ts'
import { snapshotOn } from '../../server/audit/postgres-snapshot.ts'
import type { AuditSnapshot } from '../../server/audit/snapshot.ts'
import { verifyDatabase } from '../../server/audit/verify-database.ts'
import { AuditProblems } from '../../server/audit/verify-problems.ts'
import type { Checkpoint } from '../../server/documents/checkpoint.ts'
import { count, random, seed } from '../support/long.ts'
import { noPostgres, startPostgres } from '../support/postgres.ts'
import { identityAt, makeRecord } from './records.ts'
import { flipped } from './tamper.ts'
import { checkpointRow, coveredTables, pick } from './tamper-rows.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const verdicts = 30
/** The last place that the checkpoint outside covers. */
const covered = 24

async function verify(snapshot: AuditSnapshot, outside: readonly Checkpoint[]) {
  const problems = new AuditProblems()
  const request = { snapshot, keys: [publicKey], outside: new Map([['default', outside]]), now: Date.now() }
  const tenants = await verifyDatabase({ ...request, progress: () => undefined }, problems)
  return { tenants, problems }
}

/** Records verdicts through the store, waits until they are sealed, and signs one checkpoint. */
async function filled(t: Test, url: string): Promise<Checkpoint> {
  const store = await openPostgresStore({ url })
  for (let index = 0; index < verdicts; index += 1) {
    // Six a month, because what is partitioned by month is read by month.
    const identity = identityAt(new Date(Date.UTC(2026, Math.floor(index / 6), 7)).toISOString(), index)
    const subject = index % 3 === 0 ? {} : { imageName: `web-${index}.qcow2` }
    const wishes = { identity, facts: `image ${index % 20}`, subject }
    const failed = index % 4 === 0 ? ['linux.ext4.64bit'] : []
    await store.record(makeRecord({ ...wishes, failed, missing: index % 6 === 0 ? ['/boot/mode', '/os/id'] : [] }))
  }
  while ((await store.entries('default', 0, 100)).length < verdicts) await sleep(20)
  const links = (await store.entries('default', 0, covered)).map(({ link }) => link)
  t.equal(links.length, covered)
  await store.close()
  return signCheckpoint({ tenant: 'default', from: 1, links }, '2026-11-20T09:00:00.000Z', privateKey)
}

interface Change {
  readonly what: string
  /** Place of the row, before it was changed. */
  readonly sequence: number | undefined
  /** Of the tenant, wherever its checkpoint is. */
  readonly anywhere?: boolean
}

type Row = Record<string, string | number | null>

/** Changes one column of one row, removes the row, or adds a trigram. */
async function tamper(client: pg.ClientBase, numbers: () => number): Promise<Change | undefined> {
  const names = [...Object.keys(coveredTables), 'image_trigrams']
  const table = names[pick(numbers, names.length)] ?? ''
  const found = await client.query<Row>(`SELECT *, ctid::text AS at, tableoid::regclass::text AS part FROM ${table}`)
  const row = found.rows[pick(numbers, found.rows.length)]
  if (row === undefined) return undefined
  const { at, part, ...columns } = row
  const placeOf = {
    verdicts: 'SELECT sequence FROM chain WHERE verdict_id = $1',
    findings: 'SELECT sequence FROM chain WHERE verdict_id = $1',
    finding_kinds: 'SELECT sequence FROM chain WHERE verdict_id = $1',
    missing_facts: 'SELECT sequence FROM chain WHERE verdict_id = $1',
    image_trigrams: 'SELECT sequence FROM chain WHERE verdict_id = $1',
    fact_documents:
      'SELECT min(sequence) AS sequence FROM chain JOIN verdicts ON id = verdict_id WHERE document_digest = $1',
    policy_bodies:
      'SELECT min(sequence) AS sequence FROM chain JOIN verdicts ON id = verdict_id WHERE policy_digest = $1',
    chain: 'SELECT $1::bigint AS sequence',
    checkpoints: 'SELECT $1::bigint AS sequence',
    daily_counts: 'SELECT NULL::bigint AS sequence WHERE $1::text IS NOT NULL',
  }[table]
  const anywhere = table === 'daily_counts'
  const key = columns['verdict_id'] ?? columns['id'] ?? columns['digest'] ?? ''
  const value = table === 'chain' || table === 'checkpoints' ? columns['sequence'] : key
  const place = await client.query<{ sequence: string | null }>(placeOf ?? '', [value])
  const sequence = Number(place.rows[0]?.sequence ?? Number.NaN)
  const where = 'ctid = $1::tid'
  if (table === 'image_trigrams' && numbers() < 0.3) {
    await client.query(`INSERT INTO image_trigrams VALUES ($1, 'QQQ', $2)`, [columns['tenant'], columns['verdict_id']])
    return { what: 'add to image_trigrams', sequence, anywhere }
  }
  if (numbers() < 0.2) {
    await client.query(`DELETE FROM ${part} WHERE ${where}`, [at])
    return { what: `remove from ${table}`, sequence, anywhere }
  }
  const open = Object.keys(columns).filter((name) => !['tenant', 'removed_at', 'removal_reason'].includes(name))
  const column = open[pick(numbers, open.length)] ?? ''
  const old = columns[column] ?? null
  const isNumber = ['sequence', 'from_sequence', 'verdicts'].includes(column)
  const changed = isNumber ? Number(old) + 100 : old === null ? 'forged' : flipped(numbers, String(old))
  await client.query(`UPDATE ${part} SET ${column} = $2 WHERE ${where}`, [at, changed])
  return { what: `change ${table}.${column}`, sequence, anywhere }
}

test('tampering with a record on PostgreSQL is found as on SQLite', { skip: noPostgres }, async (t) => {
  const databases = await startPostgres(t)
  const url = await databases.create()
  const checkpoint = await filled(t, url)
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  t.teardown(() => admin.end())
  const row = checkpointRow(checkpoint)
  const marks = Object.keys(row).map((_, index) => `$${index + 1}`)
  await admin.query("SELECT set_config('imagegate.tenant', '*', false)")
  await admin.query(`INSERT INTO checkpoints (${Object.keys(row)}) VALUES (${marks})`, Object.values(row))

  await t.test('what nobody touched is intact', async (t) => {
    const snapshot = await openSnapshot({ kind: 'postgres', url })
    const { tenants, problems } = await verify(snapshot, [checkpoint])
    await snapshot.close()
    t.same(problems.named, [])
    t.match(tenants, [
      { tenant: 'default', entries: verdicts, verdicts, outside: { sequence: covered }, notCovered: 6 },
    ])
  })

  // Whoever owns the tables can do this.
  const tables = await admin.query<{ name: string }>(
    "SELECT oid::regclass::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')",
  )
  for (const { name } of tables.rows) await admin.query(`ALTER TABLE ${name} DISABLE TRIGGER USER`)
  const pool = openPool({ url, size: 1, patient: true })
  t.teardown(() => pool.end())
  const connection = await pool.connect()
  t.teardown(() => connection.release())
  const snapshot = { ...snapshotOn(connection), close: async () => undefined }
  t.comment(`seed ${seed}`)
  const numbers = random(seed)
  const wanted = count(2000, 40)
  let found = 0
  for (let done = 0; done < wanted; ) {
    await connection.query("BEGIN; SELECT set_config('imagegate.tenant', '*', true)")
    try {
      let change: Change | undefined
      try {
        change = await tamper(connection, numbers)
      } catch (error) {
        // The database cannot hold two rows of one key, a row outside its partition, or null where there is none.
        if (error instanceof pg.DatabaseError && error.code?.startsWith('23')) continue
        throw error
      }
      if (change === undefined) continue
      done += 1
      const { problems } = await verify(snapshot, [checkpoint])
      const [first] = problems.named
      if (first !== undefined) found += 1
      const { what, sequence, anywhere } = change
      if (anywhere === true && first === undefined) t.fail(`${what} was not found`)
      if (sequence === undefined || Number.isNaN(sequence) || sequence > covered) continue
      if (first === undefined) t.fail(`${what} at ${sequence} was not found`)
      else if (!problems.named.some((one) => one.sequence === sequence)) {
        t.fail(`${what} at ${sequence}: told ${JSON.stringify(first)}`)
      }
    } finally {
      await connection.query('ROLLBACK')
    }
  }
  t.ok(found > wanted / 2, `${found} of ${wanted} were found, the others lie after the checkpoint`)
})
