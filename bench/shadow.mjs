// Processor time that a candidate policy in shadow costs a recorded verdict, in this process and thread: evaluating it
// (the service's thread) and writing it (the writer's), beside judging and writing the verdict. Needs a build (npm run
// build). Usage: node bench/shadow.mjs [--example linux/ready.json] [--batches 100]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { newIdentity } from '../dist/audit/identity.js'
import { toRows } from '../dist/audit/rows.js'
import { prepareCommit } from '../dist/audit/sqlite-batch.js'
import { createDatabaseFile, openForWriting } from '../dist/audit/sqlite-connection.js'
import { migrateSqlite } from '../dist/audit/sqlite-migrate.js'
import { sha256 } from '../dist/digest.js'
import { judge } from '../dist/evaluation/judge.js'
import { shadowOf } from '../dist/evaluation/shadow.js'
import { parseFacts } from '../dist/facts/parse.js'
import { loadPolicies, shippedPolicies } from '../dist/policy/load.js'

const { values } = parseArgs({
  options: { example: { type: 'string', default: 'linux/ready.json' }, batches: { type: 'string', default: '100' } },
})
const batches = Number(values.batches)
const batchItems = 64
const policies = await loadPolicies(shippedPolicies)
const facts = parseFacts(readFileSync(new URL(`../examples/${values.example}`, import.meta.url)))
const { verdict } = judge(policies, facts, {}, new Date())
const active = policies.versions.find(({ family }) => family === verdict.policy.family)

/** The active policy again, with the ids of some rules changed: each is one that is gone and one that is new. */
function candidateWith(renamed) {
  const policy = structuredClone(active.policy)
  for (const rule of policy.rules.slice(0, renamed)) rule.id += '.renamed'
  return { family: active.family, version: '9.9.9', digest: sha256(String(renamed)), text: '', policy }
}

function microseconds(work, times) {
  for (let index = 0; index < times / 4; index += 1) work()
  const start = process.cpuUsage()
  for (let index = 0; index < times; index += 1) work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / times
}

function records(candidate) {
  return Array.from({ length: batchItems }, () => {
    const made = { ...verdict, ...newIdentity(), tenant: 'default' }
    const body = JSON.stringify(made)
    const shadow = candidate && shadowOf(candidate, facts, made)
    const kept = { digest: candidate?.digest, family: 'linux', version: '9.9.9', body: '' }
    const told = shadow && { ...shadow, candidate: kept }
    const record = { verdict: made, body, recordDigest: sha256(body), document: facts.canonical, policies: [] }
    return toRows({ ...record, ...(told && { shadow: told }) })
  })
}

const scratch = mkdtempSync(join(tmpdir(), 'imagegate-bench-'))
try {
  const judging = microseconds(() => judge(policies, facts, {}, new Date()), 4000)
  const subjects = [undefined, candidateWith(0), candidateWith(3)].map((candidate, index) => {
    const file = join(scratch, `${index}.db`)
    createDatabaseFile(file)
    const db = openForWriting(file)
    migrateSqlite(db)
    const evaluating = candidate && microseconds(() => shadowOf(candidate, facts, verdict), 8000)
    return { candidate, evaluating, commit: prepareCommit(db), used: 0 }
  })
  for (let round = -batches / 4; round < batches; round += 1) {
    for (const subject of subjects) {
      const rows = records(subject.candidate)
      const start = process.cpuUsage()
      subject.commit(rows)
      const { user, system } = process.cpuUsage(start)
      if (round >= 0) subject.used += user + system
    }
  }
  console.log(
    `${values.example}, commits of ${batchItems}; judging takes ${judging.toFixed(0)} µs; Node ${process.version}\n`,
  )
  console.log('| candidate | evaluating, µs | writing verdict and shadow, µs |\n|---|---|---|')
  for (const { candidate, evaluating, used } of subjects) {
    const rules = candidate && shadowOf(candidate, facts, verdict).differences.length
    const name = rules === undefined ? 'none' : `differs in ${rules} rules`
    const written = used / batches / batchItems
    console.log(`| ${name} | ${evaluating === undefined ? '' : evaluating.toFixed(0)} | ${written.toFixed(0)} |`)
  }
} finally {
  rmSync(scratch, { recursive: true })
}
