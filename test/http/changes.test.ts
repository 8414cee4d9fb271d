import { test } from 'tap'
import { facts, json, problem, stage } from './support.ts'

test('the change feed tells every verdict once, in order, and waits for the next', async (t) => {
  const { app, lifecycle, close } = await stage(t.testdir())
  t.teardown(close)
  const post = async (name: string) =>
    (await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body: facts(name) })).json().id
  const ids: string[] = []
  for (const name of ['a', 'b', 'c', 'd', 'e']) ids.push(await post(name))
  const seen: string[] = []
  let after = 0
  for (let more = true; more; ) {
    const answer = (await app.inject(`/v1/changes?after=${after}&limit=2`)).json()
    for (const { sequence, verdict } of answer.changes) {
      t.equal(sequence, seen.length + 1)
      seen.push(verdict.id)
    }
    more = answer.changes.length > 0
    after = answer.last
  }
  t.same(seen, ids)
  t.equal(after, 5)

  const waiting = app.inject(`/v1/changes?after=5&wait=30`)
  const sixth = await post('f')
  t.match((await waiting).json(), { changes: [{ sequence: 6, verdict: { id: sixth } }], last: 6 })

  const started = performance.now()
  t.same((await app.inject('/v1/changes?after=6&wait=1')).json(), { changes: [], last: 6 })
  // A timer of Node may be a millisecond early.
  t.ok(performance.now() - started >= 990, 'it waits as long as asked')
  const draining = app.inject('/v1/changes?after=6&wait=30')
  lifecycle.phase = 'draining'
  t.same((await draining).json(), { changes: [], last: 6 }, 'a stopping instance keeps nobody waiting')
  lifecycle.phase = 'serving'
  t.equal(problem(await app.inject('/v1/changes?wait=31')).code, 'OPTION_INVALID')
  t.equal(problem(await app.inject('/v1/changes?after=-1')).code, 'OPTION_INVALID')
})

test('the timeline of an image is paged and asks for an image', async (t) => {
  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  for (const importAs of ['', '', '?importAs=others-linux']) {
    const url = `/v1/evaluations${importAs}`
    await app.inject({ method: 'POST', url, headers: json, body: facts('one') })
  }
  await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body: facts('other') })
  const whole = (await app.inject('/v1/timeline?imageName=one')).json()
  t.match(
    whole.entries.map(({ change }: { change?: object }) => change),
    [{ causes: ['options'] }, { causes: [] }, undefined],
  )
  const first = (await app.inject('/v1/timeline?imageName=one&limit=2')).json()
  const second = (await app.inject(`/v1/timeline?limit=2&cursor=${first.next}`)).json()
  t.same([...first.entries, ...second.entries], whole.entries)
  t.equal(second.next, undefined)
  t.equal(problem(await app.inject('/v1/timeline')).code, 'OPTION_INVALID')
  t.same((await app.inject('/v1/timeline?imageName=one&limit=50')).json(), whole, 'the greatest page')
  t.equal(problem(await app.inject('/v1/timeline?imageName=one&limit=51')).code, 'OPTION_INVALID')
  t.equal(problem(await app.inject(`/v1/timeline?imageName=other&cursor=${first.next}`)).code, 'CURSOR_INVALID')
})
