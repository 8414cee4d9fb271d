// Verdicts per second that become durable: one client, 64 and 128, beside plain better-sqlite3 inserting the same bytes
// into one table with the same settings, 1, 64 and 128 per transaction. Rounds alternate, medians are printed.
// With the URL of an empty PostgreSQL database: the same there, beside one multi-row INSERT a transaction through pg.
//
//   npm run build && node bench/storage.mjs [verdicts per round] [rounds] [postgres: URL]

import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import pg from 'pg'
import { newIdentity } from '../dist/audit/identity.js'
import { openStore } from '../dist/audit/open.js'
import { sha256 } from '../dist/digest.js'

const [verdicts = 4000, rounds = 5] = process.argv.slice(2, 4).map(Number)
const url = process.argv[4]
const directory = mkdtempSync(join(tmpdir(), 'imagegate-bench-'))
const policy = { digest: sha256('policy'), family: 'linux', version: '1.0.0', body: 'x'.repeat(60_000) }
let serial = 0
let stored = 0

function record() {
  serial += 1
  const { id, recordedAt } = newIdentity()
  const document = `{"image":{"name":"${serial}"},"text":"${'f'.repeat(4860)}"}`
  const findings = Array.from({ length: 45 }, (_, index) => ({
    rule: `linux.area-${index % 7}.rule-${index}`,
    requirements: ['L-01'],
    title: 'A requirement in one short sentence, as long as they usually are',
    result: index < 3 ? 'fail' : index === 3 ? 'unknown' : 'pass',
    severity: 'block',
    effect: index < 4 ? 'block' : 'none',
  }))
  const verdict = {
    id,
    tenant: 'default',
    recordedAt,
    outcome: 'not_ready',
    subject: { imageName: `web-${serial % 997}`, imageDigest: sha256(`${serial}`), osType: 'linux', osId: 'debian' },
    policy,
    factsDigest: sha256(document),
    documentDigest: sha256(document),
    findings,
    missing: [{ pointer: '/boot/mode' }],
  }
  const body = JSON.stringify({ ...verdict, policy: policy.digest })
  return { verdict, body, recordDigest: sha256(body), document, policies: [policy] }
}

/** Both return verdicts per second, and CPU microseconds per verdict of all threads; records are made before the clock starts. */
async function throughStore(place, clients, count) {
  const records = Array.from({ length: count }, record)
  const store = await openStore(place)
  await store.record(record())
  stored += count + 1
  let next = 0
  const client = async () => {
    while (next < count) await store.record(records[next++])
  }
  const clock = startClock()
  await Promise.all(Array.from({ length: clients }, client))
  const result = clock(count)
  await store.close()
  return result
}

function plainInserts(file, perTransaction, count) {
  const records = Array.from({ length: count }, record)
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec('CREATE TABLE IF NOT EXISTS plain (id TEXT PRIMARY KEY, body TEXT, document TEXT) STRICT')
  const insert = db.prepare('INSERT INTO plain VALUES (?, ?, ?)')
  const commit = db.transaction((batch) => {
    for (const { verdict, body, document } of batch) insert.run(verdict.id, body, document)
  })
  const clock = startClock()
  for (let index = 0; index < count; index += perTransaction) commit(records.slice(index, index + perTransaction))
  const result = clock(count)
  db.close()
  return result
}

async function plainPostgres(perTransaction, count) {
  const records = Array.from({ length: count }, record)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('CREATE SCHEMA IF NOT EXISTS plain')
  await client.query('CREATE TABLE IF NOT EXISTS plain.plain (id text PRIMARY KEY, body text, document text)')
  await client.query('SET synchronous_commit = on')
  const clock = startClock()
  for (let index = 0; index < count; index += perTransaction) {
    const batch = records.slice(index, index + perTransaction)
    const rows = batch.map((_, row) => `($${row * 3 + 1}, $${row * 3 + 2}, $${row * 3 + 3})`).join(', ')
    const values = batch.flatMap(({ verdict, body, document }) => [verdict.id, body, document])
    await client.query(`INSERT INTO plain.plain VALUES ${rows}`, values)
  }
  const result = clock(count)
  await client.end()
  return result
}

function startClock() {
  const cpu = process.cpuUsage()
  const start = performance.now()
  return (count) => {
    const { user, system } = process.cpuUsage(cpu)
    return { rate: (count / (performance.now() - start)) * 1000, cpu: (user + system) / count }
  }
}

const file = join(directory, 'store.db')
const place = url ? { kind: 'postgres', url } : { kind: 'sqlite', file }
const sizes = [1, 64, 128]
const results = new Map()
const note = (name, result) => results.set(name, [...(results.get(name) ?? []), result])
const median = (name, key) => {
  const values = results.get(name).map((result) => result[key])
  return values.sort((one, other) => one - other)[values.length >> 1]
}
const columns = ['at once', 'plain/s', 'store/s', 'store to plain', 'to one client', 'plain CPU µs', 'store CPU µs']
const row = (cells) => console.log(cells.map((cell) => String(cell).padStart(15)).join(''))

try {
  for (let round = 0; round < rounds; round += 1) {
    for (const size of sizes) {
      const count = size === 1 ? Math.ceil(verdicts / 8) : verdicts
      note(
        `plain ${size}`,
        url ? await plainPostgres(size, count) : plainInserts(join(directory, 'plain.db'), size, count),
      )
      note(`store ${size}`, await throughStore(place, size, count))
    }
  }
  console.log(`${rounds} rounds of ${verdicts} verdicts of ${record().body.length} B, each with a document of 4.9 KB`)
  row(columns)
  for (const size of sizes) {
    const [plain, store] = ['plain', 'store'].map((name) => median(`${name} ${size}`, 'rate'))
    const cpus = ['plain', 'store'].map((name) => Math.round(median(`${name} ${size}`, 'cpu')))
    const ratios = [(store / plain).toFixed(2), (store / median('store 1', 'rate')).toFixed(1)]
    row([size, Math.round(plain), Math.round(store), ...ratios, ...cpus])
  }
  if (!url) console.log(`${(statSync(file).size / stored / 1000).toFixed(1)} KB a verdict on disk`)
} finally {
  rmSync(directory, { recursive: true })
}
