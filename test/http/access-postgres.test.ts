import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import { imagegate } from '../cli/support.ts'
import { noPostgres, startPostgres } from '../support/postgres.ts'
import { keepingLogger } from './support.ts'

test('replicas on one PostgreSQL count a caller together, and refuse a revoked key within seconds', {
  skip: noPostgres,
}, async (t) => {
  const database = await (await startPostgres(t)).create()
  const made = await imagegate(['keys', 'create', '--role', 'reader', '--name', 'x', '--database', database])
  t.equal(made.code, 0, made.stderr)
  const [, id = ''] = /^imagegate_([a-z2-7]+)_/.exec(made.stdout) ?? []
  const settings = {
    IMAGEGATE_DATABASE_URL: database,
    IMAGEGATE_PORT: '0',
    IMAGEGATE_AUTHENTICATION: 'required',
    IMAGEGATE_RATE_LIMIT: '6',
  }
  const replicas = await Promise.all([0, 1].map(() => start(readConfig(settings), keepingLogger([]))))
  t.teardown(() => Promise.all(replicas.map((replica) => replica.close())))
  const get = async (index: number) => {
    const headers = { authorization: `Bearer ${made.stdout.trim()}` }
    const { status, headers: told } = await fetch(`${replicas[index % 2]?.url}/v1/verdicts`, { headers })
    return { status, left: told.get('ratelimit-remaining') }
  }
  // The window may turn over once in the middle; then the count begins anew, for both.
  let before = await get(0)
  t.equal(before.status, 200)
  for (let index = 1; index <= 12 && before.status === 200; index += 1) {
    const now = await get(index)
    const next = String(Number(before.left) - 1)
    if (now.status === 200) t.ok(now.left === next || now.left === '5', `${before.left} and then ${now.left}`)
    else t.same([now.status, before.left], [429, '0'])
    before = now
  }
  t.equal(before.status, 429)
  const revoked = await imagegate(['keys', 'revoke', id, '--database', database])
  t.equal(revoked.code, 0, revoked.stderr)
  await sleep(2100)
  for (const index of [0, 1]) t.equal((await get(index)).status, 401)
})
