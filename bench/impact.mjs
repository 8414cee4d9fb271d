// Recorded fact documents replayed against a candidate policy, by the thread that reads them and with one more for each
// processor, beside merely reading and JSON-parsing the same documents, and beside that together with their verdicts.
// Rounds alternate, medians are printed.
//
//   npm run build && node bench/impact.mjs [documents] [rounds]

import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { openSqliteStore } from '../dist/audit/sqlite.js'
import { policyImpact } from '../dist/authoring/impact.js'
import { recordedSource } from '../dist/authoring/impact-sources.js'
import { databaseRecords } from '../dist/cli/database-records.js'
import { evaluateAndRecord } from '../dist/evaluation/record.js'
import { parseFacts } from '../dist/facts/parse.js'
import { loadPolicies, readPolicyText, shippedPolicies } from '../dist/policy/load.js'
import { findVersion } from '../dist/policy/set.js'

const submittedBy = { caller: 'key:bench', requestId: randomUUID() }
const [documents = 100_000, rounds = 3] = process.argv.slice(2).map(Number)
const directory = mkdtempSync(join(tmpdir(), 'imagegate-bench-'))
const file = join(directory, 'imagegate.db')
const examples = ['ready', 'several-faults', 'freebsd-ready', 'coreos-ready'].map((name) =>
  readFileSync(new URL(`../examples/linux/${name}.json`, import.meta.url), 'utf8'),
)

/** Distinct facts near the bounds that the candidate moves. */
function randomDocument(serial) {
  const document = JSON.parse(examples[serial % examples.length])
  document.image.name = `image-${serial}.qcow2`
  document.image.digest = `sha256:${randomBytes(32).toString('hex')}`
  document.image.virtualSizeBytes = randomInt(1, 2 ** 40)
  for (const volume of document.volumes ?? []) if ('freeBytes' in volume) volume.freeBytes = randomInt(0, 2 ** 31)
  if (document.os.id === 'debian') document.os.version = `${randomInt(5, 13)}.${randomInt(0, 14)}`
  if (serial % 3 === 0) delete document.agents
  return JSON.stringify(document)
}

async function generate(policies) {
  const store = await openSqliteStore({ file })
  const recorder = { policies, store, now: () => new Date() }
  let serial = 0
  const client = async () => {
    while (serial < documents) {
      serial += 1
      const facts = parseFacts(Buffer.from(randomDocument(serial)))
      await evaluateAndRecord(recorder, { tenant: 'default', submittedBy, facts, given: {} })
    }
  }
  await Promise.all(Array.from({ length: 256 }, client))
  await store.close()
}

/** Reads and parses the columns and does nothing with them. */
function plain(sql) {
  const db = new Database(file, { readonly: true })
  const select = db.prepare(sql).raw()
  const clock = startClock()
  let count = 0
  for (const columns of select.iterate()) {
    for (const text of columns) JSON.parse(text)
    count += 1
  }
  const result = clock()
  db.close()
  if (count !== documents) throw new Error(`${count} of ${documents} documents were read`)
  return result
}

let report

async function impact(candidate, workers) {
  const records = await databaseRecords(file)
  const clock = startClock()
  const measured = await policyImpact({
    candidate,
    kind: 'database',
    place: file,
    source: recordedSource(records, { family: candidate.family }),
    database: { file, tenant: 'default' },
    selection: {},
    seed: 1,
    allowed: '0',
    workers,
    progress: () => undefined,
  })
  const result = clock()
  report = measured.report
  await measured.close(false)
  await records.close()
  if (report.counts.replayed !== documents) throw new Error(`${report.counts.replayed} documents were replayed`)
  return result
}

/** Documents a second, and CPU microseconds a document of all threads. */
function startClock() {
  const cpu = process.cpuUsage()
  const start = performance.now()
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return { rate: (documents / (performance.now() - start)) * 1000, cpu: (user + system) / documents }
  }
}

const results = new Map()
const note = (name, result) => results.set(name, [...(results.get(name) ?? []), result])
const median = (name, key) => {
  const values = results.get(name).map((result) => result[key])
  return values.sort((one, other) => one - other)[values.length >> 1]
}

try {
  const policies = await loadPolicies(shippedPolicies, { released: false })
  const { text } = findVersion(policies, 'linux', '1.0.0')
  const changed = text
    .replace('version: "1.0.0"', 'version: "1.1.0"')
    .replace('value: 104857600', 'value: 1073741824')
    .replace('[6, 7, 8, 9, 10]', '[8, 9, 10, 11]')
  const { policy: candidate } = readPolicyText(changed, 'candidate.yaml')
  const start = performance.now()
  await generate(policies)
  console.log(`${documents} documents were judged and recorded in ${((performance.now() - start) / 1000).toFixed(0)} s`)

  const cores = availableParallelism()
  const measures = new Map([
    ['documents read and parsed', () => plain('SELECT body FROM fact_documents')],
    [
      'with their verdicts',
      () =>
        plain(
          'SELECT d.body, v.body FROM verdicts v JOIN fact_documents d ON d.digest = v.document_digest AND d.tenant = v.tenant',
        ),
    ],
    ['impact, 1 thread', () => impact(candidate, 1)],
    [`impact, ${cores} workers`, () => impact(candidate, cores)],
  ])
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, measure] of measures) note(name, await measure())
  }
  const row = (cells) =>
    console.log(cells.map((cell, index) => (index === 0 ? cell.padEnd(28) : cell.padStart(14))).join(''))
  console.log(`Node ${process.version}, ${cores} processors, ${rounds} rounds`)
  row(['', 'documents/s', 'of parsing', 'seconds', 'CPU µs each'])
  for (const name of measures.keys()) {
    const rate = median(name, 'rate')
    const ratio = (rate / median('documents read and parsed', 'rate')).toFixed(2)
    row([name, String(Math.round(rate)), ratio, (documents / rate).toFixed(1), median(name, 'cpu').toFixed(0)])
  }
  console.log(
    `${report.counts.changed} outcomes change: ${report.outcomes.map(({ from, to, count }) => `${from} to ${to} ${count}`).join(', ')}`,
  )
} finally {
  rmSync(directory, { recursive: true })
}
