import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { type ChainHead, emptyHead, nextEntry, signCheckpoint } from '../../server/audit/chain.ts'
import type { OutsideCheckpoints } from '../../server/audit/checkpoint-files.ts'
import { createDatabaseFile, openForWriting } from '../../server/audit/sqlite-connection.ts'
import { prepareImageText } from '../../server/audit/sqlite-insert.ts'
import { migrateSqlite } from '../../server/audit/sqlite-migrate.ts'
import { snapshotOf } from '../../server/audit/sqlite-snapshot.ts'
import { verifyDatabase } from '../../server/audit/verify-database.ts'
import { AuditProblems } from '../../server/audit/verify-problems.ts'
import type { Checkpoint } from '../../server/documents/checkpoint.ts'
import type { Verification } from '../../server/documents/verification.ts'
import { count, random, seed } from '../support/long.ts'
import { makeRecord } from './records.ts'
import { type Place, type Tampering, tamper } from './tamper.ts'
import { checkpointRow, countAnew, insertRecord, rowsOf } from './tamper-rows.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const segment = 4
const tenants = { acme: 14, default: 30 } as const
/** The last place that a checkpoint outside covers. */
const covered: Readonly<Record<string, number>> = { acme: 8, default: 24 }

const file = join(t.testdir(), 'audit.db')
createDatabaseFile(file)
const db = openForWriting(file)
t.teardown(() => db.close())
migrateSqlite(db)
const outside: Map<string, Checkpoint[]> = new Map()
for (const { name } of db
  .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
  .all()) {
  db.exec(`DROP TRIGGER ${name}`)
}

for (const [tenant, verdicts] of Object.entries(tenants)) {
  let head: ChainHead = emptyHead
  let links: string[] = []
  const kept: Checkpoint[] = []
  for (let index = 0; index < verdicts; index += 1) {
    const record = makeRecord({
      tenant,
      version: index % 5 === 0 ? '1.1.0' : '1.0.0',
      facts: `image ${index % 20}`,
      subject:
        index % 3 === 0 ? {} : { imageName: `web-${index}.qcow2`, osType: 'linux', osId: 'debian', osVersion: '12' },
      failed: index % 4 === 0 ? ['linux.ext4.64bit', `linux.rule-${index}`] : [],
      unknown: index % 6 === 0 ? ['linux.boot.mode'] : [],
      missing: index % 6 === 0 ? ['/boot/mode', '/os/id'] : [],
    })
    insertRecord(db, record)
    const entry = nextEntry(tenant, head, record.verdict.id, record.recordDigest)
    head = entry
    db.prepare('INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?)').run(
      tenant,
      entry.sequence,
      entry.verdictId,
      entry.recordDigest,
      entry.previousLink,
      entry.link,
    )
    links.push(entry.link)
    if (links.length < segment) continue
    const checkpoint = signCheckpoint(
      { tenant, from: entry.sequence - segment + 1, links },
      '2026-11-20T09:00:00.000Z',
      privateKey,
    )
    const row = checkpointRow(checkpoint)
    db.prepare(`INSERT INTO checkpoints (${Object.keys(row).join(', ')}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`).run(
      ...Object.values(row),
    )
    if (checkpoint.sequence <= (covered[tenant] ?? 0)) kept.push(checkpoint)
    links = []
  }
  outside.set(tenant, kept)
  countAnew(db, tenant)
}

async function verify(from: OutsideCheckpoints = outside) {
  const problems = new AuditProblems()
  const tenants = await verifyDatabase(
    {
      snapshot: snapshotOf(db),
      keys: [publicKey],
      outside: from,
      now: Date.parse('2026-11-20T09:01:00Z'),
      progress: () => undefined,
    },
    problems,
  )
  return { tenants, problems }
}

t.test('a record that nobody touched is intact, and what is not covered is counted', async (t) => {
  const { tenants, problems } = await verify()
  t.same(problems.named, [])
  t.match(tenants, [
    {
      tenant: 'acme',
      entries: 14,
      verdicts: 14,
      unsealed: 0,
      outside: { sequence: 8 },
      signed: { sequence: 12 },
      notCovered: 6,
      notCoveredSeconds: 60,
      problems: 0,
    },
    {
      tenant: 'default',
      entries: 30,
      verdicts: 30,
      outside: { sequence: 24 },
      signed: { sequence: 28 },
      notCovered: 6,
      problems: 0,
    },
  ])
})

function isAt(problem: Verification['problems'][number], { tenant, sequence }: Place): boolean {
  return problem.tenant === tenant && problem.sequence === sequence
}

const countEntries = db.prepare<[string], { entries: number }>('SELECT count(*) AS entries FROM chain WHERE tenant = ?')

/** Whether a problem names the segment of a place, where the whole chain was made anew. */
function holds({ tenant, sequence, through = sequence }: Verification['problems'][number], place: Place): boolean {
  if (tenant !== place.tenant || place.sequence === undefined) return false
  if (sequence === undefined || through === undefined) return false
  return sequence <= place.sequence && place.sequence <= through && through - sequence < segment
}

t.test(
  'a row that a search for text needs is told of when it is gone, changed, there twice or not indexed',
  async (t) => {
    const [row] = rowsOf(db, 'image_texts', "tenant = 'default' ORDER BY rowid LIMIT 1")
    const [tenant, id, text] = [String(row?.['tenant']), String(row?.['verdict_id']), String(row?.['text'])]
    const own = 'FROM image_texts WHERE tenant = ? AND verdict_id = ?'
    const crimes = {
      removed: () => db.prepare(`DELETE ${own}`).run(tenant, id),
      changed: () =>
        db.prepare("UPDATE image_texts SET text = 'other' WHERE tenant = ? AND verdict_id = ?").run(tenant, id),
      added: () => prepareImageText(db)(text, { tenant, id }),
    }
    for (const [kind, commit] of Object.entries(crimes)) {
      db.exec('BEGIN')
      commit()
      const { problems } = await verify()
      db.exec('ROLLBACK')
      t.match(problems.named, [{ kind, where: 'image_texts', tenant, verdict: id, sequence: 2 }], kind)
      t.equal(problems.total, 1)
    }
    // The row stays, and nothing finds it.
    const place = db
      .prepare<[string, string], { rowid: number }>(`SELECT CAST(rowid AS TEXT) AS rowid ${own}`)
      .get(tenant, id)
    db.unsafeMode(true)
    db.exec('BEGIN')
    db.prepare(`DELETE ${own}`).run(tenant, id)
    db.prepare('INSERT INTO image_texts_content VALUES (CAST(? AS INTEGER), ?, ?, ?)').run(
      place?.rowid,
      text,
      tenant,
      id,
    )
    const { problems } = await verify()
    db.exec('ROLLBACK')
    db.unsafeMode(false)
    t.match(problems.named, [{ kind: 'changed', where: 'image_texts', message: /malformed inverted index/ }])
    t.equal(problems.total, 1)
  },
)

t.test('every tampering at or before the last outside checkpoint is found and its first place named', async (t) => {
  const wanted = count(10_000)
  t.comment(`seed ${seed}`)
  const numbers = random(seed)
  const kinds = new Map<string, number>()
  let found = 0
  let uncovered = 0
  for (let done = 0; done < wanted; ) {
    db.exec('BEGIN')
    try {
      let crime: Tampering
      try {
        crime = tamper({ db, random: numbers, key: privateKey })
      } catch (error) {
        // The database cannot hold two rows of one key, or null where there is none.
        if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CONSTRAINT')) continue
        throw error
      }
      done += 1
      kinds.set(crime.what, (kinds.get(crime.what) ?? 0) + 1)
      const { tenants, problems } = await verify()
      const { what, places, anew } = crime
      const [place = { tenant: '' }] = places
      const [first] = problems.named
      const named = (one: Verification['problems'][number], at: Place) =>
        isAt(one, at) || (anew === true && holds(one, at))
      const must = place.sequence === undefined || place.sequence <= (covered[place.tenant] ?? 0)
      if (first !== undefined) {
        found += 1
        const told = JSON.stringify(first)
        if (!places.some((one) => named(first, one)))
          t.fail(`${what}: expected at ${JSON.stringify(places)}, told ${told}`)
        if (must && !problems.named.some((one) => named(one, place)))
          t.fail(`${what} at ${JSON.stringify(place)}: told ${told}`)
      } else if (must) t.fail(`${what} at ${JSON.stringify(places)} was not found`)
      else {
        uncovered += 1
        const told = tenants.find(({ tenant }) => tenant === place.tenant)
        const entries = countEntries.get(place.tenant)?.entries ?? 0
        t.equal(told?.notCovered, entries - (covered[place.tenant] ?? 0), what)
      }
    } finally {
      db.exec('ROLLBACK')
    }
  }
  for (const [what, times] of [...kinds].sort()) t.comment(`${times} x ${what}`)
  t.comment(`${found} found, ${uncovered} after the last outside checkpoint and counted as not covered`)
  t.equal(found + uncovered, wanted)
})
