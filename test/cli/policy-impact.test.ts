import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import type { PolicyImpact } from '../../server/documents/policy-impact.ts'
import { judgeSelected } from '../../server/evaluation/judge.ts'
import { inForce } from '../../server/policy/set.ts'
import { matches, problemsOf } from '../../server/schemas.ts'
import {
  candidateText,
  documents,
  hostileName,
  type Known,
  policies,
  policyOf,
  recordAll,
  stricterText,
} from '../authoring/recorded.ts'
import { seed } from '../support/long.ts'
import { example, imagegate, ownDatabase } from './support.ts'

t.comment(`seed ${seed}`)
const folder = t.testdir()
const { database, environment } = await ownDatabase(folder)
const known = await recordAll(database, documents(160, seed))
await recordAll(database, [readFileSync(example('windows-server/ready.json'), 'utf8')])
const others = await recordAll(database, documents(7, seed + 1), 'other')
const candidateFile = join(folder, 'stricter.yaml')
writeFileSync(candidateFile, stricterText)
const candidate = policyOf(stricterText)

const impact = (args: readonly string[], more: Parameters<typeof imagegate>[1] = {}) =>
  imagegate(['policy', 'impact', ...args, '--workers', '1'], { environment, ...more })

function reportOf(stdout: string): PolicyImpact {
  const value: unknown = JSON.parse(stdout)
  if (!matches('policy-impact', value)) throw new Error(JSON.stringify(problemsOf('policy-impact', value)))
  return value
}

/** What the whole judgement, with its messages and evidence, says under the candidate. */
function after({ verdict, facts }: Known) {
  const at = new Date(verdict.asOf)
  return judgeSelected(facts, {
    policy: candidate,
    selectedBy: 'pin',
    asOf: verdict.asOf,
    options: verdict.options,
    alternative: () => inForce(policies, 'nonstandard-linux', at),
  }).verdict
}

const expected = known.map((one) => ({ ...one, now: after(one) }))
const changed = expected.filter(({ verdict, now }) => verdict.outcome !== now.outcome)
const newestFirst = changed.toReversed().map(({ verdict, now }) => [verdict.id, verdict.outcome, now.outcome])
const triples = ({ changed: all }: PolicyImpact) => all.map(({ verdict, from, to }) => [verdict, from, to])

const exportFile = join(folder, 'export.ndjson')
const lines = known.toReversed().map(({ verdict, facts }) => JSON.stringify({ verdict, facts: facts.document }))
writeFileSync(exportFile, `${lines.join('\n')}\n`)

t.test('every source tells exactly the verdicts that a whole judgement would change', async (t) => {
  t.ok(changed.length > 20 && changed.length < known.length, `${changed.length} of ${known.length} change`)
  const running = await start(readConfig(environment))
  t.teardown(() => running.close())
  const sources = {
    database: ['--database', `file:${database}`],
    'the configured database': [],
    server: ['--server', running.url],
    export: ['--export', exportFile],
  }
  const reports: PolicyImpact[] = []
  for (const [name, source] of Object.entries(sources)) {
    const ran = await impact([candidateFile, ...source, '--from', '2020-01-01', '--to', '2099-01-01T00:00:00Z'])
    t.equal(ran.code, 1, ran.stderr)
    t.equal(ran.stderr, '')
    const report = reportOf(ran.stdout)
    t.same(triples(report), newestFirst, name)
    t.same(report.counts, {
      found: known.length,
      sampled: known.length,
      skipped: 0,
      replayed: known.length,
      changed: changed.length,
      notReplayed: 0,
    })
    reports.push(report)
  }
  const [first] = reports
  for (const { source: _source, baseline: _baseline, changed: list, ...report } of reports) {
    const { source: _first, baseline: _none, changed: _list, ...rest } = first ?? {}
    t.same(report, rest)
    t.same(
      list.map(({ line: _line, ...one }) => one),
      first?.changed,
    )
  }
})

function counted(names: readonly string[]): Map<string, number> {
  const found = new Map<string, number>()
  for (const name of names) found.set(name, (found.get(name) ?? 0) + 1)
  return found
}

t.test('outcomes, rules and images are counted as they are', async (t) => {
  const report = reportOf((await impact([candidateFile])).stdout)
  const pairs = counted(expected.map(({ verdict, now }) => `${verdict.outcome} ${now.outcome}`))
  t.same(
    new Set(report.outcomes.map(({ from, to, count }) => `${from} ${to} ${count}`)),
    new Set([...pairs].map(([pair, count]) => `${pair} ${count}`)),
  )
  const moved = expected.flatMap(({ verdict, now }) => {
    const then = new Map(verdict.findings.map((one) => [one.rule, `${one.result} ${one.effect}`]))
    return now.findings.flatMap(({ rule, result, effect }) => {
      const before = then.get(rule)
      return before === `${result} ${effect}` ? [] : [`${rule} ${before} ${result} ${effect}`]
    })
  })
  t.same(
    Object.fromEntries(
      report.rules.map(({ rule, from, to, verdicts }) => [
        `${rule} ${from?.result} ${from?.effect} ${to?.result} ${to?.effect}`,
        verdicts,
      ]),
    ),
    Object.fromEntries(counted(moved)),
  )
  t.ok(report.rules.some(({ rule, decisive }) => rule === 'linux.distribution' && decisive > 0))
  for (const { verdict, imageName, imageDigest, recordedAt, version, rules } of report.changed) {
    const one = changed.find((each) => each.verdict.id === verdict)
    t.equal(imageName, one?.verdict.subject.imageName)
    t.equal(imageDigest, one?.verdict.subject.imageDigest)
    t.equal(recordedAt, one?.verdict.recordedAt)
    t.equal(version, '1.0.0')
    t.ok(rules.length > 0)
  }
  t.same(report.judgedBy, [{ version: '1.0.0', count: known.length }])
})

t.test('the same policy under another version changes nothing and exits with 0', async (t) => {
  const same = join(folder, 'same.yaml')
  writeFileSync(same, candidateText())
  const ran = await impact([same])
  t.equal(ran.code, 0)
  t.match(reportOf(ran.stdout), { counts: { replayed: known.length, changed: 0 }, rules: [], changed: [] })
  t.equal((await impact(['linux/1.0.0'])).code, 0)
  const none = await impact(['unidentified/1.0.0'])
  t.equal(none.code, 0)
  t.match(reportOf(none.stdout), { counts: { found: 0 } })
})

t.test('the exit code follows the threshold, a number or a share', async (t) => {
  const share = (changed.length * 100) / known.length
  for (const [allowed, code] of [
    [String(changed.length), 0],
    [String(changed.length - 1), 1],
    [`${Math.ceil(share)}%`, 0],
    [`${Math.floor(share - 0.001)}%`, 1],
  ] as const) {
    const ran = await impact([candidateFile, '--fail-on-changed', allowed])
    t.equal(ran.code, code, allowed)
    t.same(reportOf(ran.stdout).threshold, { allowed, exceeded: code === 1 })
  }
})

t.test('a time range, a tenant and a sample narrow what is looked at, alike in a database and an export', async (t) => {
  const middle = known[100]?.verdict.recordedAt ?? ''
  const since = known.filter(({ verdict }) => verdict.recordedAt >= middle).length
  for (const source of [[], ['--export', exportFile]]) {
    const counted = async (...args: string[]) => reportOf((await impact([candidateFile, ...source, ...args])).stdout)
    t.equal((await counted('--from', middle)).counts.replayed, since)
    t.equal((await counted('--to', middle)).counts.replayed, known.length - since)
    t.equal((await counted('--from', '2099-01-01')).counts.replayed, 0)
    t.equal((await counted('--tenant', 'nobody')).counts.replayed, 0)
    const sample = await counted('--sample', '40')
    t.equal(sample.counts.sampled, 40)
    t.same(sample.changed, (await counted('--sample', '40')).changed)
    t.notSame(sample.changed, (await counted('--sample', '40', '--seed', '2')).changed)
    const half = (await counted('--sample', '50%')).counts
    t.ok(half.sampled > 45 && half.sampled < 115, `${half.sampled} of ${known.length} are half`)
    t.equal(half.found, known.length)
  }
  const other = reportOf((await impact([candidateFile, '--tenant', 'other'])).stdout)
  t.equal(other.counts.replayed, others.length)
  t.same(other.selection, { tenant: 'other' })
})

t.test('any number of workers gives the same report', async (t) => {
  const one = await impact([candidateFile])
  const three = await imagegate(['policy', 'impact', candidateFile, '--workers', '3'], { environment })
  t.equal(three.stdout, one.stdout)
})

t.test('a database that breaks while threads read it ends the run, and nothing is reported', async (t) => {
  const copy = join(folder, 'broken.db')
  await new Database(database, { readonly: true }).backup(copy)
  const bytes = readFileSync(copy)
  // Pages in the middle hold rows; the first ones hold the schema and the roots.
  bytes.fill(0xff, Math.floor(bytes.length / 3), Math.floor((bytes.length * 2) / 3))
  writeFileSync(copy, bytes)
  for (const workers of ['1', '2']) {
    const ran = await imagegate(['policy', 'impact', candidateFile, '--database', copy, '--workers', workers])
    t.equal(ran.code, 3)
    t.match(ran.stderr, 'STORE_UNAVAILABLE')
    t.equal(ran.stdout, '')
  }
})

t.test('what cannot be replayed is counted by its reason with the first of its kind', async (t) => {
  const copy = join(folder, 'damaged.db')
  await new Database(database, { readonly: true }).backup(copy)
  const db = new Database(copy)
  for (const { name } of db
    .prepare<[], { name: string }>("select name from sqlite_schema where type='trigger'")
    .all()) {
    db.exec(`drop trigger "${name}"`)
  }
  const digests = [...new Set(known.map(({ verdict }) => verdict.documentDigest))]
  const [expired = '', invalid = '', gone = ''] = digests
  const sharing = (digest: string) => known.filter(({ verdict }) => verdict.documentDigest === digest).length
  db.prepare("update fact_documents set body = null, removed_at = 't', removal_reason = 'r' where digest = ?").run(
    expired,
  )
  db.prepare('update fact_documents set body = ? where digest = ?').run(
    '{"schema":"imagegate.facts/1","collection":{"sources":[]},"image":{"name":"a"},"nothing":1}',
    invalid,
  )
  db.prepare('delete from fact_documents where digest = ?').run(gone)
  const unreadable = known.findLast(({ verdict }) => ![expired, invalid, gone].includes(verdict.documentDigest))
  db.prepare("update verdicts set body = '{}' where id = ?").run(unreadable?.verdict.id)
  db.close()
  const ran = await impact([candidateFile, '--database', copy])
  const report = reportOf(ran.stdout)
  t.same(Object.fromEntries(report.notReplayed.map(({ reason, count }) => [reason, count])), {
    facts_expired: sharing(expired),
    facts_invalid: sharing(invalid),
    facts_missing: sharing(gone),
    record_unreadable: 1,
  })
  t.match(
    report.notReplayed.find(({ reason }) => reason === 'facts_invalid')?.example.detail,
    /^\/nothing: No such member is known here\.$/,
  )
  const lost = sharing(expired) + sharing(invalid) + sharing(gone) + 1
  t.match(report.counts, { sampled: known.length, replayed: known.length - lost, notReplayed: lost })
  const text = (await impact([candidateFile, '--database', copy, '--format', 'human'])).stdout
  t.match(text, 'the facts were removed by retention')
})

t.test('an export that holds no facts is undetermined, and its lines are told apart', async (t) => {
  const [first] = known
  const { documentDigest: _digest, ...verdict } = first?.verdict ?? {}
  const other = known.find((one) => one.verdict.documentDigest !== first?.verdict.documentDigest)
  const stdin = [
    JSON.stringify({ verdict: first?.verdict }),
    '',
    'not JSON',
    '[1]',
    JSON.stringify({ verdict, facts: first?.facts.document }),
    JSON.stringify({ verdict: first?.verdict, facts: other?.facts.document }),
    JSON.stringify({ verdict: first?.verdict, facts: { ...other?.facts.document, nothing: 1 } }),
    '{"schema":"imagegate.facts/1","image":{"name":"a","name":"b"}}',
  ].join('\n')
  const ran = await impact([candidateFile, '--export', '-'], { stdin })
  t.equal(ran.code, 2)
  const example = (reason: string) => reportOf(ran.stdout).notReplayed.find((one) => one.reason === reason)
  t.match(example('facts_expired'), { count: 1, example: { verdict: first?.verdict.id, line: 1 } })
  t.match(example('line_unreadable'), { count: 2, example: { line: 3 } })
  t.match(example('record_unreadable'), { count: 1, example: { line: 5 } })
  t.match(example('facts_differ'), { count: 1, example: { line: 6 } })
  t.match(example('facts_invalid'), { count: 2, example: { line: 7, detail: /^\/nothing: / } })
})

t.test('fact documents alone are judged by the baseline first', async (t) => {
  const stdin = [...documents(40, seed + 2), readFileSync(example('windows-server/ready.json'), 'utf8')]
    .map((text) => JSON.stringify(JSON.parse(text)))
    .join('\n')
  const bare = (...args: string[]) => impact([candidateFile, '--export', '-', ...args], { stdin })
  const report = reportOf((await bare()).stdout)
  t.match(report, { baseline: { version: '1.0.0' }, counts: { found: 41, skipped: 1, replayed: 40 } })
  t.ok(report.counts.changed > 0)
  t.match(report.changed[0], { line: Number, from: String, to: String })
  t.equal(report.changed[0]?.verdict, undefined)
  t.equal(reportOf((await bare('--baseline', candidateFile)).stdout).counts.changed, 0)
  for (const [args, said] of [
    [['--from', '2020-01-01'], 'Line 1 is a fact document without a verdict: it has no time'],
    [['--baseline', 'windows-server/1.0.0'], 'The baseline is of windows-server'],
  ] as const) {
    const ran = await bare(...args)
    t.equal(ran.code, 3)
    t.match(ran.stderr, said)
  }
})

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not appear
const acting = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

t.test('people read counts, rules and the first images; hostile names act on nothing', async (t) => {
  const hostile = changed.filter(({ verdict }) => verdict.subject.imageName?.endsWith(hostileName))
  t.ok(hostile.length > 0)
  const human = (await impact([candidateFile, '--format', 'human'])).stdout
  t.match(human, `Impact of linux 1.1.0: ${changed.length} of ${known.length} replayed verdicts change their outcome`)
  t.match(human, /^THEN +READY/m)
  t.match(human, /^linux\.distribution +pass +fail, block +\d+ +\d+$/m)
  t.match(human, `Changed verdicts (20 of ${changed.length}; JSON has them all)`)
  t.match(human, '\\u{202e}')
  t.notMatch(human, acting)
  const markdown = (await impact([candidateFile, '--format', 'markdown'])).stdout
  t.match(markdown, `### Impact of linux 1.1.0: ${changed.length} of`)
  t.notMatch(markdown, acting)
  t.notMatch(markdown, /[^\\][<[`]/, 'no element, no link and no code from a name')
  for (const line of markdown.split('\n').filter((one) => one.startsWith('| 019'))) {
    t.equal(line.match(/(?<!\\)\|/g)?.length, 6, line)
  }
  const json = await impact([candidateFile, '--format', 'json'], { columns: 80 })
  t.notMatch(json.stdout, acting)
  t.same(reportOf(json.stdout), reportOf((await impact([candidateFile])).stdout))
})

t.test('options that cannot be are usage errors, and so is what cannot be read', async (t) => {
  const cases: readonly (readonly [string, ...string[]])[] = [
    ['It is a number from 1', '--sample', '0'],
    ['It is a number from 1', '--sample', '101%'],
    ['a share such as 5%', '--fail-on-changed', '-1'],
    ['It is a whole number from 1 to 64', '--workers', '0'],
    ['cannot be used with', '--export', exportFile, '--server', 'http://127.0.0.1:9'],
    ['--tenant is for', '--server', 'http://127.0.0.1:9', '--tenant', 'a'],
    ['Standard input is read once', '--export', '-', '--sample', '5'],
    ['OPTION_INVALID', '--from', 'yesterday'],
    ['FILE_UNREADABLE', '--export', join(folder, 'none.ndjson')],
    ['FILE_UNREADABLE', '--database', join(folder, 'none.db')],
    ['SERVER_UNREACHABLE', '--server', 'http://127.0.0.1:9'],
  ]
  for (const [said, ...args] of cases) {
    const ran = await imagegate(['policy', 'impact', candidateFile, ...args], { environment })
    t.equal(ran.code, 3, args.join(' '))
    t.match(ran.stderr, said)
    t.equal(ran.stdout, '')
  }
  const broken = join(folder, 'broken.yaml')
  writeFileSync(broken, stricterText.replace('/rootFreeBytes }', '/rootFreeByte }'))
  const ran = await impact([broken])
  t.equal(ran.code, 3)
  t.match(ran.stderr, /POLICY_INVALID[\s\S]*broken\.yaml:\d+:\d+/)
})
