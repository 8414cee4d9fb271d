import { test } from 'tap'
import { facts, json, problem, stage } from './support.ts'

test('statistics count outcomes by day, rules that fail and facts that are missing', async (t) => {
  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  const verdicts = []
  for (const name of ['a', 'b', 'c']) {
    verdicts.push(
      (await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body: facts(name) })).json(),
    )
  }
  const today = verdicts[0].recordedAt.slice(0, 10)
  const [{ outcome, findings, missing }] = verdicts
  const days = (await app.inject('/v1/statistics/days')).json()
  t.same(days.days, [{ day: today, results: { [outcome]: 3 } }])
  t.ok(days.from < today && today < days.to)
  t.same((await app.inject(`/v1/statistics/days?from=2020-01-01&to=2020-02-01`)).json(), {
    from: '2020-01-01',
    to: '2020-02-01',
    days: [],
  })
  const withResult = (result: string) =>
    findings
      .filter((finding: { result: string }) => finding.result === result)
      .map(({ rule }: { rule: string }) => ({ rule, verdicts: 3 }))
  const named = (one: { rule: string }, other: { rule: string }) => (one.rule < other.rule ? -1 : 1)
  for (const result of ['fail', 'unknown', 'pass', 'not_applicable']) {
    const answer = (await app.inject(`/v1/statistics/rules?result=${result}&limit=500`)).json()
    t.equal(answer.verdicts, 3)
    t.same(answer.rules, withResult(result).toSorted(named), result)
  }
  t.ok(withResult('unknown').length > 2)
  const [{ rule }] = withResult('unknown')
  t.same((await app.inject(`/v1/statistics/days?rule=${rule}`)).json().days, [{ day: today, results: { unknown: 3 } }])
  t.equal((await app.inject('/v1/statistics/rules?result=unknown&limit=2')).json().rules.length, 2)

  const gone = (await app.inject('/v1/statistics/facts?limit=500')).json()
  t.same(
    gone.facts,
    missing
      .map(({ pointer }: { pointer: string }) => pointer)
      .toSorted()
      .map((pointer: string) => ({ pointer, verdicts: 3 })),
  )
  t.same((await app.inject('/v1/statistics/days?missingFact=/os/none')).json().days, [])
  t.match((await app.inject('/v1/statistics/rules?family=windows-server')).json(), { verdicts: 0, rules: [] })
})

test('a period that cannot be says what is asked for', async (t) => {
  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  for (const [query, message] of [
    ['from=2026-02-30', /YYYY-MM-DD/],
    ['from=2026-01-02&to=2026-01-02', /are 0 days; ask for 1 to 366/],
    ['from=2025-01-01&to=2026-01-03', /are 367 days/],
    ['rule=a.b&missingFact=/a', /not for both/],
    ['from=yesterday', /./],
  ] as const) {
    const { code, detail } = problem(await app.inject(`/v1/statistics/days?${query}`))
    t.equal(code, 'OPTION_INVALID', query)
    t.match(detail, message)
  }
  t.equal((await app.inject('/v1/statistics/days?from=2024-01-01&to=2025-01-01')).statusCode, 200, 'a leap year')
})
