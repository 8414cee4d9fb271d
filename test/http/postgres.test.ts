import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import { example, imagegate, releasedPolicies } from '../cli/support.ts'
import { noPostgres, startPostgres } from '../support/postgres.ts'
import { json, keepingLogger } from './support.ts'

const document = readFileSync(example('linux/several-faults.json'), 'utf8')

t.test('the service and its commands work on PostgreSQL by one setting', { skip: noPostgres }, async (t) => {
  const log: Record<string, unknown>[] = []
  const url = await (await startPostgres(t)).create()
  const environment = {
    IMAGEGATE_POLICIES: await releasedPolicies(join(t.testdir(), 'policies')),
    IMAGEGATE_DATABASE_URL: url,
    IMAGEGATE_PORT: '0',
  }
  const running = await start(readConfig(environment), keepingLogger(log))
  t.teardown(() => running.close())
  const post = (key: string) =>
    fetch(`${running.url}/v1/evaluations`, {
      method: 'POST',
      headers: { ...json, 'idempotency-key': key },
      body: document,
    })
  const first = await post('k')
  t.equal(first.status, 201)
  const body = await first.text()
  const { id, policy } = JSON.parse(body)
  const again = await post('k')
  t.equal(again.headers.get('idempotency-replayed'), 'true')
  t.equal(await again.text(), body)
  t.equal((await fetch(`${running.url}/health/ready`)).status, 200)
  t.equal(await (await fetch(`${running.url}/v1/verdicts/${id}`)).text(), body)

  const shown = await imagegate(['verdicts', 'show', id, '--format', 'json'], { environment })
  t.same([shown.code, JSON.parse(shown.stdout)], [0, JSON.parse(body)])
  const listed = await imagegate(['verdicts', 'list', '--format', 'json', '--database', url])
  t.match(listed.stdout, id)
  const replayed = await imagegate(['verdicts', 'replay', id], { environment })
  t.equal(replayed.code, 0, replayed.stderr)
  const candidate = join(environment.IMAGEGATE_POLICIES, policy.family, `${policy.version}.yaml`)
  const impact = ['policy', 'impact', candidate, '--database', url, '--format', 'json', '--workers', '1']
  const told = await imagegate(impact, { environment })
  t.equal(told.code, 0, told.stderr)
  t.match(JSON.parse(told.stdout), { counts: { found: 1, replayed: 1 } })

  const { password } = new URL(url)
  const printed = [shown, listed, replayed, told].map(({ stdout, stderr }) => stdout + stderr).join('')
  t.notMatch(printed + JSON.stringify(log), password, 'no password is shown or logged')
})

t.test('a database that cannot be reached is told without its password', async (t) => {
  const url = 'postgres://imagegate:hunter2@127.0.0.1:1/imagegate'
  const ran = await imagegate(['verdicts', 'list', '--database', url])
  t.equal(ran.code, 3)
  t.match(ran.stderr, /STORE_UNAVAILABLE.*\n.*ECONNREFUSED/)
  t.notMatch(ran.stderr, /hunter2/)
})
