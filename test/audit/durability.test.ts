import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { type Test, test } from 'tap'
import { openSqliteReader, openSqliteStore } from '../../server/audit/sqlite.ts'
import type { StoreReader } from '../../server/audit/store.ts'
import { sha256 } from '../../server/digest.ts'
import { noStrace, startChild } from './child.ts'
import { readChain } from './contract-chain.ts'
import { verdictOfTrace } from './trace.ts'

const cycles = process.env['IMAGEGATE_LONG'] === '1' ? 100 : 2
const skip = noStrace()
const traced = ['write', 'pwrite64', 'fsync', 'fdatasync'].join(',')

/** A migrated database that no process has open. */
async function prepared(t: Test): Promise<string> {
  const file = join(t.testdir(), 'data', 'imagegate.db')
  const store = await openSqliteStore({ file })
  await store.close()
  return file
}

/** Ids among the given ones that the store does not have, or whose bodies do not have their digests. */
async function lost(store: StoreReader, ids: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    ids.map(async (id) => {
      const stored = await store.verdict('default', id)
      return stored !== undefined && sha256(stored.body) === stored.recordDigest
    }),
  )
  return ids.filter((_, index) => !found[index])
}

function verdictsIn(file: string): unknown {
  const db = new Database(file, { readonly: true })
  try {
    return db.prepare('SELECT count(*) FROM verdicts').pluck().get()
  } finally {
    db.close()
  }
}

function integrity(file: string): unknown {
  const db = new Database(file)
  try {
    return db.pragma('integrity_check', { simple: true })
  } finally {
    db.close()
  }
}

test(`every acknowledged verdict is there, and all are sealed, after ${cycles} kills amid 64 concurrent records`, async (t) => {
  const file = await prepared(t)
  let acknowledged = 0
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    const child = await startChild(t, 'storm', file)
    await child.next()
    await sleep(100 + ((cycle * 137) % 600))
    child.process.kill('SIGKILL')
    await child.ended()
    const ids = child.acknowledged()
    acknowledged += ids.length
    const reader = await openSqliteReader({ file })
    t.same(await lost(reader, ids), [], `cycle ${cycle}: ${ids.length} acknowledged`)
    const { entries, faults } = await readChain(reader, 'default')
    t.same(faults, [], `cycle ${cycle}: the chain is sound`)
    t.equal(entries.length, verdictsIn(file), 'nothing is recorded and not sealed')
    await reader.close()
  }
  t.ok(acknowledged >= cycles, `${acknowledged} verdicts were acknowledged before the kills`)
  t.equal(integrity(file), 'ok')
})

test('between the last write to the log and the acknowledgement lies a completed fsync', { skip }, async (t) => {
  const file = await prepared(t)
  const trace = join(t.testdirName, 'trace')
  const child = await startChild(t, 'store', file, ['strace', '-f', '-y', '-o', trace, '-e', `trace=${traced}`])
  t.match(await child.record(), /^ack /)
  await child.ended()
  t.equal(verdictOfTrace(readFileSync(trace, 'utf8')), 'synced')
})

test('that check finds the fsync missing under synchronous=NORMAL', { skip }, async (t) => {
  const file = await prepared(t)
  const trace = join(t.testdirName, 'trace')
  const child = await startChild(t, 'normal', file, ['strace', '-f', '-y', '-o', trace, '-e', `trace=${traced}`])
  t.match(await child.record(), /^ack /)
  await child.ended()
  t.equal(verdictOfTrace(readFileSync(trace, 'utf8')), 'not synced')
})

test('an fsync that fails is answered with STORE_UNAVAILABLE and never acknowledged', { skip }, async (t) => {
  const file = await prepared(t)
  const child = await startChild(t, 'store', file, failing(file, 'fsync,fdatasync', 'EIO'))
  for (let attempt = 0; attempt < 3; attempt += 1) t.equal(await child.record(), 'failed STORE_UNAVAILABLE')
  child.process.kill('SIGKILL')
  await child.ended()
  t.same(child.acknowledged(), [])
  t.equal(integrity(file), 'ok')
})

test('after one failed fsync the writer recovers, and what failed does not come to life', { skip }, async (t) => {
  const file = await prepared(t)
  const child = await startChild(t, 'store', file, failing(file, 'fsync,fdatasync', 'EIO', '1'))
  t.equal(await child.record(), 'failed STORE_UNAVAILABLE')
  child.process.kill('SIGKILL')
  await child.ended()
  await holdsExactly(t, file, [])

  const second = await startChild(t, 'store', file, failing(file, 'fsync,fdatasync', 'EIO', '1'))
  t.equal(await second.record(), 'failed STORE_UNAVAILABLE')
  t.match(await second.record(), /^ack /)
  await second.ended()
  await holdsExactly(t, file, second.acknowledged())
})

test('a disk that is full for a while costs those verdicts alone, and nothing half-written', { skip }, async (t) => {
  const file = await prepared(t)
  const child = await startChild(t, 'store', file, failing(file, 'pwrite64', 'ENOSPC', '12..13'))
  const answers: (string | undefined)[] = []
  for (let attempt = 0; attempt < 6; attempt += 1) answers.push(await child.record())
  await child.ended()
  t.ok(answers.includes('failed STORE_UNAVAILABLE'), answers.join(', '))
  t.match(answers.at(-1), /^ack /)
  await holdsExactly(t, file, child.acknowledged())
  t.equal(integrity(file), 'ok')
})

test('at a limit of the file size the store stops acknowledging, keeps reading, and has lost nothing', async (t) => {
  const file = await prepared(t)
  // In blocks of 512 or 1024 bytes, as the shell has it: 6 or 12 MB.
  const child = await startChild(t, 'storm', file, ['sh', '-c', 'ulimit -f 12000; exec "$0" "$@"'])
  await child.ended()
  const failures = child.lines.filter((line) => line.startsWith('failed '))
  t.ok(failures.length > 0)
  t.same([...new Set(failures)], ['failed STORE_UNAVAILABLE'])
  t.equal(child.lines.at(-1), 'readable 1')
  await holdsExactly(t, file, child.acknowledged())
  t.equal(integrity(file), 'ok')
})

/** Makes system calls on the database's log fail: all of them, or those that `when` counts. */
function failing(file: string, calls: string, error: string, when = '1+'): readonly string[] {
  const inject = `inject=${calls}:error=${error}:when=${when}`
  return ['strace', '-f', '-o', '/dev/null', '-P', `${file}-wal`, '-e', `trace=${calls}`, '-e', inject]
}

async function holdsExactly(t: Test, file: string, ids: readonly string[]): Promise<void> {
  const store = await openSqliteStore({ file })
  t.same(await lost(store, ids), [], 'nothing acknowledged is lost')
  await store.close()
  const db = new Database(file, { readonly: true })
  const count = (table: string) => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()
  t.equal(count('verdicts'), ids.length, 'nothing else is there')
  t.equal(count('findings'), ids.length)
  t.equal(count('fact_documents'), ids.length)
  t.equal(count('chain'), ids.length)
  db.close()
}
