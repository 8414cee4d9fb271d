import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { makeKey } from '../../server/access/key.ts'

const child = fileURLToPath(new URL('leaking.ts', import.meta.url))

t.test('a test whose server logs a key, a token or a password fails, and one that does not passes', async (t) => {
  const cases: readonly (readonly [string, number])[] = [
    ['a request of key:aaaaaaaaaaaaaaaa', 0],
    [`the key ${makeKey().text}`, 97],
    ['the token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl', 97],
    ['connecting to postgres://imagegate:hunter2@db/imagegate', 97],
    ['the password correct-horse', 97],
  ]
  for (const [text, status] of cases) {
    const ran = spawnSync(process.execPath, [...process.execArgv, child, text], { encoding: 'utf8' })
    t.equal(ran.status, status, `${text}: ${ran.stderr}`)
  }
})
