// Verdicts per second that become durable: one client, 64 and 128, beside plain better-sqlite3 inserting the same bytes
// into one table with the same settings, 1, 64 and 128 per transaction. Rounds alternate, medians are printed.
//
//   npm run build && node bench/storage.mjs [verdicts per round] [rounds]

import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { newIdentity } from '../dist/audit/identity.js'
import { openSqliteStore } from '../dist/audit/sqlite.js'
import { sha256 } from '../dist/digest.js'

const [verdicts = 4000, rounds = 5] = process.argv.slice(2).map(Number)
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
async function throughStore(file, clients, count) {
  const records = Array.from({ length: count }, record)
  const store = await openSqliteStore({ file })
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

function startClock() {
  const cpu = process.cpuUsage()
  const start = performance.now()
  return (count) => {
    const { user, system } = process.cpuUsage(cpu)
    return { rate: (count / (performance.now() - start)) * 1000, cpu: (user + system) / count }
  }
}

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
      note(`plain ${size}`, plainInserts(join(directory, 'plain.db'), size, count))
      note(`store ${size}`, await throughStore(join(directory, 'store.db'), size, count))
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
  console.log(`${(statSync(join(directory, 'store.db')).size / stored / 1000).toFixed(1)} KB a verdict on disk`)
} finally {
  rmSync(directory, { recursive: true })
}
