import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { toRows } from '../../server/audit/rows.ts'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import { prepareCommit } from '../../server/audit/sqlite-batch.ts'
import { openForWriting } from '../../server/audit/sqlite-connection.ts'
import type { VerdictRecord } from '../../server/audit/store.ts'
import { ImagegateError } from '../../server/errors.ts'
import { makeRecord } from './records.ts'

// Records verdicts in the database of the first argument and writes `ack ID` for each that it was told is durable, or
// `failed CODE`. The second argument: `storm` records by 64 at once until the first failure; `store` records one for
// each line on standard input; `normal` does that without the store, under synchronous=NORMAL.

const [, , file = '', mode = ''] = process.argv
let serial = 0

// Node ignores this signal, so that a write beyond the limit fails with EFBIG; the TypeScript loader makes it deadly.
process.on('SIGXFSZ', () => undefined)

const say = (line: string) => writeSync(1, `${line}\n`)

async function attempt(record: (record: VerdictRecord) => Promise<unknown>): Promise<boolean> {
  const next = makeRecord({ facts: `${process.pid}-${serial++}`, failed: ['a.b'] })
  try {
    await record(next)
    say(`ack ${next.verdict.id}`)
    return true
  } catch (error) {
    say(`failed ${error instanceof ImagegateError ? error.code : String(error)}`)
    return false
  }
}

async function storm(): Promise<void> {
  const store = await openSqliteStore({ file })
  let going = true
  const loop = async () => {
    while (going) if (!(await attempt((record) => store.record(record)))) going = false
  }
  say('ready')
  await Promise.all(Array.from({ length: 64 }, loop))
  say(`readable ${(await store.list('default', {}, 1)).verdicts.length}`)
  await store.close()
}

async function oneByOne(record: (record: VerdictRecord) => Promise<unknown>): Promise<void> {
  say('ready')
  for await (const _ of createInterface({ input: process.stdin })) await attempt(record)
}

if (mode === 'storm') {
  await storm()
} else if (mode === 'store') {
  const store = await openSqliteStore({ file })
  await oneByOne((record) => store.record(record))
  await store.close()
} else {
  const db = openForWriting(file)
  db.pragma('synchronous = NORMAL')
  const commit = prepareCommit(db)
  await oneByOne(async (record) => commit([toRows(record)]))
  db.close()
}
