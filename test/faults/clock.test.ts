import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { serve } from '../support/service.ts'
import { expectChained, rowsOfFile } from '../support/storm.ts'
import { Subject } from './fault.ts'

/** The library of Debian's package faketime, which moves a process's clock while it runs. */
const library = readdirSync('/usr/lib')
  .map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`)
  .find((file) => existsSync(file))

t.test(
  'a clock that jumps back and ahead changes neither the order of ids nor that of times or of the chain',
  {
    skip: library === undefined ? 'faketime is not installed' : false,
  },
  async (t) => {
    const directory = t.testdir()
    const file = join(directory, 'imagegate.db')
    const clock = join(directory, 'clock')
    const jump = (by: string) => writeFileSync(clock, by)
    jump('+0')
    const settings = {
      IMAGEGATE_DATABASE_URL: `file:${file}`,
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
    const service = await serve(settings)
    const subject = new Subject(t, service)
    const asOf: string[] = []
    const post = async (of = subject) => {
      const answer = await of.post()
      t.equal(answer.status, 201)
      asOf.push(JSON.parse(answer.body).asOf)
    }
    for (const by of ['+0', '-1d', '-20m', '+3d', '-1h', '+3d']) {
      jump(by)
      for (let index = 0; index < 5; index += 1) await post()
      t.equal((await subject.get('/health/ready')).status, 200, `it is ready at ${by}`)
    }
    t.ok(Date.parse(asOf[5] ?? '') < Date.parse(asOf[0] ?? '') - 80_000_000, 'the clock did jump back')
    t.equal((await subject.post('image-0')).status, 201, 'no key expired early')
    t.same(await subject.recorded(), subject.acknowledged, 'ids are in the order of recording')
    t.same(await service.end('SIGTERM'), [0, null])

    // Half an hour back while it was stopped: what it recorded before still comes first.
    jump('+257400')
    const again = await serve(settings)
    const later = new Subject(t, again, subject)
    await post(later)
    await post(later)
    t.same(await later.recorded(), later.acknowledged, 'also after a start')
    t.same(await again.end('SIGTERM'), [0, null])

    const rows = rowsOfFile(file)
    const verdicts = await rows('SELECT id, recorded_at, image_name FROM verdicts ORDER BY id')
    const times = verdicts.map(({ recorded_at: at }) => String(at))
    t.same(times, times.toSorted(), 'times never go back')
    const chained = await rows('SELECT verdict_id AS id FROM chain ORDER BY sequence')
    t.same(
      chained.map(({ id }) => id),
      verdicts.map(({ id }) => id),
      'the chain has the same order',
    )
    await expectChained(t, rows)
  },
)

t.test(
  'a record of a clock that was days ahead does not hold up the clock after the next start',
  {
    skip: library === undefined ? 'faketime is not installed' : false,
  },
  async (t) => {
    const file = join(t.testdir(), 'imagegate.db')
    const settings = { IMAGEGATE_DATABASE_URL: `file:${file}` }
    const wrong = await serve({ ...settings, LD_PRELOAD: library ?? '', FAKETIME: '+30d' })
    t.equal((await new Subject(t, wrong).post('early')).status, 201)
    await wrong.end('SIGTERM')
    const right = await serve(settings)
    const answer = await new Subject(t, right).post('late')
    const apart = Math.abs(Date.parse(JSON.parse(answer.body).recordedAt) - Date.now())
    t.ok(apart < 60_000, `recordedAt is that of the clock: ${apart} ms apart`)
    t.ok(
      right.log.some((line) => line.includes('ahead of the clock')),
      'the log says so',
    )
    await right.end('SIGTERM')
  },
)
