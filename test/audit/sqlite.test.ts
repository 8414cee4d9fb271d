import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { type Test, test } from 'tap'
import { openSqliteReader, openSqliteStore } from '../../server/audit/sqlite.ts'
import { storeContract } from './contract.ts'
import { makeRecord } from './records.ts'

function fileOf(t: Test): string {
  return join(t.testdir(), 'data', 'imagegate.db')
}

test('SQLite does what every driver does', async (t) => {
  await storeContract(t, (t) => openSqliteStore({ file: fileOf(t) }))
})

test('the records of these tests fit the schema of verdicts', async (t) => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  const validate = ajv.compile(
    JSON.parse(readFileSync(new URL('../../schemas/verdict.schema.json', import.meta.url), 'utf8')),
  )
  const { verdict } = makeRecord({ failed: ['a.b'], unknown: ['a.c'], missing: ['/os'] })
  t.ok(validate(JSON.parse(JSON.stringify(verdict))), JSON.stringify(validate.errors))
})

test('the data directory and its files are the owner’s alone', async (t) => {
  const file = fileOf(t)
  const store = await openSqliteStore({ file })
  t.teardown(() => store.close())
  await store.record(makeRecord())
  t.equal(statSync(join(file, '..')).mode & 0o777, 0o700)
  for (const path of [file, `${file}-wal`, `${file}-shm`]) t.equal(statSync(path).mode & 0o777, 0o600, path)
})

test('a verdict is there after the store was closed and opened again', async (t) => {
  const file = fileOf(t)
  const record = makeRecord({ idempotency: { key: 'k', fingerprint: 'f' } })
  const first = await openSqliteStore({ file })
  await first.record(record)
  await first.close()
  await first.close()
  const second = await openSqliteStore({ file })
  t.teardown(() => second.close())
  t.match(await second.verdict('default', record.verdict.id), { body: record.body })
  t.match(await second.record(record), { kind: 'replayed' })
})

test('a reader sees the verdicts of a database in use, and of one at rest', async (t) => {
  const file = fileOf(t)
  await t.rejects(openSqliteReader({ file }), { code: 'STORE_UNAVAILABLE' }, 'a reader makes no database')
  const store = await openSqliteStore({ file })
  await store.record(makeRecord())
  const reader = await openSqliteReader({ file })
  t.equal((await reader.list('default', {}, 10)).verdicts.length, 1)
  await store.record(makeRecord())
  t.equal((await reader.list('default', {}, 10)).verdicts.length, 2)
  await reader.close()
  await store.close()
  const later = await openSqliteReader({ file })
  t.equal((await later.list('default', {}, 10)).verdicts.length, 2)
  await later.close()
})
