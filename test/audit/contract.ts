import type { Test } from 'tap'
import { newIdentity } from '../../server/audit/identity.ts'
import type { ListPosition } from '../../server/audit/list-position.ts'
import { examined } from '../../server/audit/list-reach.ts'
import type { Store, VerdictFilter, VerdictRecord } from '../../server/audit/store.ts'
import { sha256 } from '../../server/digest.ts'
import { keepsApiKeys } from './contract-api-keys.ts'
import { countsVerdicts, leavesNoGaps, provesVerdicts, sealsVerdicts } from './contract-chain.ts'
import { failsReadsAlone, keepsReads, readAt } from './contract-reads.ts'
import { endsShadowsEarly, keepsShadows, losesShadowsAlone, refusesOlderBundles } from './contract-serving.ts'
import { identityAt, makeRecord, type RecordWishes } from './records.ts'

/** What a test works with: the shared store, and a tenant and records that are its own. */
export interface Room {
  readonly store: Store
  readonly tenant: string
  readonly make: (wishes?: RecordWishes) => VerdictRecord
}

type InRoom = (t: Test, room: Room) => Promise<void>

const tests: readonly (readonly [name: string, run: InRoom])[] = [
  ['a recorded verdict is found as it was answered, with its facts and its policy', findsWhatWasAnswered],
  ['what is not there is undefined, and a tenant sees nothing of another', separatesTenants],
  ['many verdicts share one document and one policy', sharesBodies],
  ['verdicts are read with their facts, many at once and in the order asked for', readsRecords],
  ['a retried key gives the first verdict, and another request under it is a conflict', replaysKeys],
  ['equal keys at the same moment are recorded once, whatever batch they fall into', replaysKeysOfOneBatch],
  ['a record that the database refuses fails alone, not its neighbours', failsAlone],
  ['a list is filtered by each criterion and by several at once', filters],
  ['a row of a list says what the verdict says', summarizes],
  ['pages have no gap and no repetition while new verdicts arrive', pages],
  ['a page whose filters hardly meet ends early and says where the next goes on', endsEarly],
  ['a text in the names of another tenant changes nothing in what is answered', hidesNames],
  ['a full last page names no next one, and a position keeps its upper bound', endsPages],
  ['shadow evaluations are counted and found beside their verdicts', keepsShadows],
  ['a page of a rule and a change that hardly meet ends early', endsShadowsEarly],
  ['a shadow that cannot be recorded is lost alone, and a retry adds none', losesShadowsAlone],
  ['every verdict is sealed once, in a chain of its tenant', sealsVerdicts],
  ['checkpoints follow each other, and every verdict under one has its proof', provesVerdicts],
  ['every sealed verdict is counted once, on its day', countsVerdicts],
  ['what is refused or replayed leaves no gap in the chain', leavesNoGaps],
  ['a bundle older than one that was taken is refused', refusesOlderBundles],
  ['API keys are found, listed by tenant, revoked once, and end sooner when replaced', keepsApiKeys],
  ['reads are found by who, what and when, in their tenant alone', keepsReads],
  ['a read that the database refuses fails alone, and so does a verdict beside it', failsReadsAlone],
  ['a check of a working database resolves, also when many ask at once', checks],
]

/** What every driver does alike; `open` gives a new and empty store each time it is called. */
export async function storeContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  const store = await open(t)
  t.teardown(() => store.close())
  for (const [index, [name, run]] of tests.entries()) {
    const tenant = `tenant-${index}`
    await t.test(name, (t) => run(t, { store, tenant, make: (wishes) => makeRecord({ tenant, ...wishes }) }))
  }
  await t.test('a closed store takes nothing more, and what it had accepted is recorded', async (t) => {
    await finishesOnClose(t, await open(t))
  })
}

async function findsWhatWasAnswered(t: Test, { store, tenant, make }: Room) {
  const imageName = 'a\u0000b\u{1f600}\u202e'
  const record = make({ failed: ['linux.ext4.64bit'], subject: { imageName } })
  t.same(await store.record(record), { kind: 'recorded' })
  const { id, documentDigest, policy } = record.verdict
  const found = await store.verdict(tenant, id)
  t.same(found, { body: record.body, recordDigest: record.recordDigest })
  t.equal(sha256(found?.body ?? ''), record.recordDigest)
  t.equal(await store.document(tenant, documentDigest), record.document)
  t.equal(await store.policyBody(policy.digest), record.policies[0]?.body)
  t.match((await store.list(tenant, { imageName }, 1)).verdicts, [{ id }])
}

async function separatesTenants(t: Test, { store, tenant, make }: Room) {
  const record = make({ idempotency: { key: 'k', fingerprint: 'f' } })
  await store.record(record)
  const other = `${tenant}-other`
  t.equal(await store.verdict(other, record.verdict.id), undefined)
  t.equal(await store.document(other, record.verdict.documentDigest), undefined)
  t.equal(await store.idempotent(other, 'k'), undefined)
  t.same(await store.list(other, {}, 10), { verdicts: [] })
  t.equal(await store.policyBody(sha256('none')), undefined)
  const equalKey = make({ tenant: other, idempotency: { key: 'k', fingerprint: 'g' } })
  t.same(await store.record(equalKey), { kind: 'recorded' })
}

async function sharesBodies(t: Test, { store, tenant, make }: Room) {
  const records = Array.from({ length: 20 }, () => make())
  await Promise.all(records.map((record) => store.record(record)))
  t.equal((await store.list(tenant, {}, 500)).verdicts.length, 20)
  t.equal(await store.document(tenant, records[0]?.verdict.documentDigest ?? ''), records[0]?.document)
}

async function readsRecords(t: Test, { store, tenant, make }: Room) {
  const records = ['a', 'b', 'a', 'c'].map((facts) => make({ facts }))
  for (const record of records) await store.record(record)
  const asked = records.toReversed().map(({ verdict }) => verdict.id)
  const found = await store.records(tenant, [...asked, '01890000-0000-7000-8000-000000000000'])
  t.same(
    found,
    records.toReversed().map(({ verdict, body, document }) => ({ id: verdict.id, body, document })),
  )
  t.same(await store.records(`${tenant}-other`, asked), [])
  t.same(await store.records(tenant, []), [])
}

async function replaysKeys(t: Test, { store, tenant, make }: Room) {
  const first = make({ idempotency: { key: 'k', fingerprint: 'f' } })
  const again = make({ idempotency: { key: 'k', fingerprint: 'f' }, facts: 'again' })
  const other = make({ idempotency: { key: 'k', fingerprint: 'g' }, facts: 'other' })
  t.equal(await store.idempotent(tenant, 'k'), undefined)
  t.same(await store.record(first), { kind: 'recorded' })
  t.same(await store.record(again), { kind: 'replayed', id: first.verdict.id, body: first.body })
  t.same(await store.record(other), { kind: 'conflict' })
  t.same(await store.idempotent(tenant, 'k'), { fingerprint: 'f', id: first.verdict.id, body: first.body })
  t.equal((await store.list(tenant, {}, 10)).verdicts.length, 1)
  t.equal(await store.document(tenant, other.verdict.documentDigest), undefined)
}

async function replaysKeysOfOneBatch(t: Test, { store, tenant, make }: Room) {
  const records = Array.from({ length: 200 }, (_, index) =>
    make({ idempotency: { key: `k${index % 10}`, fingerprint: index < 190 ? 'f' : 'g' } }),
  )
  const results = await Promise.all(records.map((record) => store.record(record)))
  const count = (wanted: string) => results.filter(({ kind }) => kind === wanted).length
  t.same([count('recorded'), count('replayed'), count('conflict')], [10, 180, 10])
  t.equal((await store.list(tenant, {}, 500)).verdicts.length, 10)
  const wrong = results.filter(
    (result, index) => result.kind === 'replayed' && result.id !== records[index % 10]?.verdict.id,
  )
  t.same(wrong, [], 'each replay names the first of its key')
}

async function failsAlone(t: Test, { store, tenant, make }: Room) {
  const taken = make()
  const good = [make(), make(), taken, make(), make()]
  const twin = make({ identity: taken.verdict, facts: 'twin', idempotency: { key: 'k', fingerprint: 'f' } })
  const late = make({ identity: { ...newIdentity(), recordedAt: '2020-01-01T00:00:00.000Z' } })
  const all = [...good, twin, late, make({ facts: 'last' })]
  const results = await Promise.allSettled(all.map((record) => store.record(record)))
  const statuses = results.map(({ status }) => status)
  t.same(statuses, [...good.map(() => 'fulfilled'), 'rejected', 'rejected', 'fulfilled'])
  t.match(results[5], { reason: { code: 'INTERNAL' } })
  t.match(results[6], { reason: { code: 'INTERNAL' } })
  t.equal(await store.document(tenant, twin.verdict.documentDigest), undefined, 'nothing of it stays')
  t.equal(await store.idempotent(tenant, 'k'), undefined)
  t.equal((await store.list(tenant, {}, 10)).verdicts.length, 6)
}

async function filters(t: Test, { store, tenant, make }: Room) {
  const imageDigest = sha256('image')
  const old = make({ identity: identityAt('2026-01-01T00:00:00.000Z'), failed: ['a.b'], missing: ['/boot/mode'] })
  const windows = make({
    identity: identityAt('2026-01-02T00:00:00.000Z'),
    family: 'windows-server',
    version: '2.0.0',
    subject: { imageName: 'w', imageDigest, osType: 'windows', osId: 'windows-server-2019' },
    failed: ['a.b', 'a.c'],
    missing: ['/boot', '/boot/mode'],
    submittedBy: { caller: 'token:ops', requestId: '00000000-0000-4000-8000-000000000001' },
  })
  const named = (order: number, imageName: string, wishes: RecordWishes = {}) =>
    make({
      tenant: `${tenant}-named`,
      identity: identityAt('2026-03-01T00:00:00Z', order),
      subject: { imageName },
      ...wishes,
    })
  const names = [
    named(3, 'Web-0421.QCOW2', { warned: ['a.w'] }),
    named(1, 'web-0422.qcow2', { warned: ['a.w'], failed: ['a.b'] }),
    named(2, '100%_\\"x\u00c4.raw'),
    named(4, '421-web.raw', { unknown: ['a.b'] }),
    named(5, 'ab'),
  ] as const
  const [third, first, second, fourth] = names
  const bare = make({
    identity: identityAt('2026-01-02T00:00:00.001Z'),
    family: 'unidentified',
    outcome: 'undetermined',
    subject: {},
    unknown: ['a.b'],
    missing: ['/os'],
  })
  const skewed = (idTime: string) => {
    const identity = { id: identityAt(idTime).id, recordedAt: '2026-02-01T00:00:00.000Z' }
    return make({ tenant: `${tenant}-skewed`, identity, subject: { osId: 'skewed' } })
  }
  const early = skewed('2026-02-01T00:00:10.000Z')
  const late = skewed('2026-01-31T23:59:50.000Z')
  for (const record of [old, windows, bare, early, late, ...names]) await store.record(record)
  const expected: readonly (readonly [VerdictFilter, readonly VerdictRecord[]])[] = [
    [{}, [bare, windows, old]],
    [{ outcome: 'not_ready' }, [windows, old]],
    [{ family: 'unidentified' }, [bare]],
    [{ osType: 'linux' }, [old]],
    [{ osId: 'windows-server-2019' }, [windows]],
    [{ imageName: 'w' }, [windows]],
    [{ imageDigest }, [windows]],
    [{ policyVersion: '1.0.0' }, [bare, old]],
    [{ failedRule: 'a.b' }, [windows, old]],
    [{ missingFact: '/boot/mode' }, [windows, old]],
    [{ failedRule: 'a.c', missingFact: '/boot' }, [windows]],
    [{ failedRule: 'a.c', missingFact: '/os' }, []],
    [{ failedRule: 'a.b', missingFact: '/boot/mode', imageName: 'w' }, [windows]],
    [{ failedRule: 'a.c', imageName: 'web-01.qcow2' }, []],
    [{ failedRule: 'a.b', family: 'linux', from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' }, [old]],
    [{ missingFact: '/boot/mode', outcome: 'ready' }, []],
    [{ from: '2026-01-02T00:00:00Z' }, [bare, windows]],
    [{ from: '2026-01-02T00:00:00.0001Z' }, [bare]],
    [{ to: '2026-01-02T00:00:00.0001Z' }, [windows, old]],
    [{ to: '2026-01-02T00:00:00Z' }, [old]],
    [{ osId: 'skewed', from: '2026-02-01T00:00:00.000Z', to: '2026-02-01T00:00:00.001Z' }, [early, late]],
    [{ osId: 'skewed', from: '2026-02-01T00:00:00.001Z' }, []],
    [{ osId: 'skewed', to: '2026-02-01T00:00:00.000Z' }, []],
    [{ caller: 'token:ops' }, [windows]],
    [{ caller: 'token:ops', requestId: '00000000-0000-4000-8000-000000000001' }, [windows]],
    [{ requestId: '00000000-0000-4000-8000-000000000002' }, []],
    [{ severity: 'block' }, [bare, windows, old]],
    [{ severity: 'block', effect: 'block', missingFact: '/os' }, [bare]],
    [{ severity: 'warn' }, []],
    [{ text: 'eb-0' }, [third, first]],
    [{ text: 'WEB' }, [fourth, third, first]],
    [{ text: '%_\\"X' }, [second]],
    [{ text: '\u00c4.r' }, [second]],
    [{ text: '\u00e4.r' }, []],
    [{ text: '421.qcow2' }, [third]],
    [{ text: 'web', imageName: '421-web.raw' }, [fourth]],
    [{ text: 'w%b', imageName: '421-web.raw' }, []],
    [{ text: 'web', severity: 'warn' }, [third, first]],
    [{ text: 'web', failedRule: 'a.b' }, [first]],
    [{ text: 'web', failedRule: 'a.b', severity: 'warn' }, []],
    [{ text: 'web', severity: 'warn', effect: 'warn' }, [third, first]],
    [{ text: 'web', severity: 'block', effect: 'warn' }, []],
    [{ failedRule: 'a.w', severity: 'warn', text: 'web' }, [third, first]],
    [{ failedRule: 'a.w', effect: 'block', text: 'web' }, []],
    [{ text: 'web', from: '2026-03-01T00:00:00.001Z' }, []],
    [{ text: 'web', to: '2026-03-01T00:00:00.001Z' }, [fourth, third, first]],
    [{ to: '0001-01-01T00:00:00Z' }, []],
    [{ from: '9999-12-31T23:59:59.999Z' }, []],
  ]
  const finds = async (filter: VerdictFilter, found: readonly VerdictRecord[], told = '') => {
    const whose = filter.osId === 'skewed' ? `${tenant}-skewed` : filter.text === undefined ? tenant : `${tenant}-named`
    const ids = (await everyPage(store, whose, filter)).flat()
    const wanted = found.map(({ verdict }) => verdict.id)
    t.same(ids, wanted, JSON.stringify(filter) + told)
  }
  for (const [filter, found] of expected) await finds(filter, found)
  const others = Array.from({ length: examined + 10 }, (_, order) =>
    named(order, `other-${order}`, { identity: identityAt('2026-02-01T00:00:00Z', order), warned: ['a.w'] }),
  )
  await Promise.all(others.map((record) => store.record(record)))
  for (const [filter, found] of expected) {
    if (filter.text !== undefined) await finds(filter, found, ' among more than one page looks at')
  }
  await t.rejects(store.list(tenant, { from: 'yesterday' }, 10), { code: 'OPTION_INVALID' })
  await t.rejects(store.list(tenant, { to: '2026-02-30T00:00:00Z' }, 10), { code: 'OPTION_INVALID' })
  await t.rejects(store.list(tenant, { text: 'ab' }, 10), { code: 'OPTION_INVALID' })
}

async function summarizes(t: Test, { store, tenant, make }: Room) {
  const record = make({ subject: { imageDigest: sha256('i'), osType: 'freebsd', osVersion: '14.1' } })
  await store.record(record)
  const { verdict } = record
  const row = {
    id: verdict.id,
    recordedAt: verdict.recordedAt,
    outcome: verdict.outcome,
    family: verdict.policy.family,
    policyVersion: verdict.policy.version,
    policyDigest: verdict.policy.digest,
    osType: 'freebsd',
    osId: null,
    osVersion: '14.1',
    imageName: null,
    imageDigest: verdict.subject.imageDigest,
    factsDigest: verdict.factsDigest,
    documentDigest: verdict.documentDigest,
    recordDigest: record.recordDigest,
  }
  t.same((await store.list(tenant, {}, 1)).verdicts, [row])
}

async function pages(t: Test, { store, tenant, make }: Room) {
  const wishes = { failed: ['a.b'], missing: ['/os'] }
  const records = Array.from({ length: 25 }, () => make(wishes))
  await Promise.all(records.map((record) => store.record(record)))
  const old = records.map(({ verdict }) => verdict.id).reverse()
  const asked = [{}, { failedRule: 'a.b' }, { missingFact: '/os' }, { outcome: 'not_ready' }, { severity: 'block' }]
  for (const filter of [...asked, { text: 'web-' }, { text: '01.qcow2' }, { caller: 'key:test' }]) {
    let page = await store.list(tenant, filter, 10)
    const seen = page.verdicts.map(({ id }) => id)
    while (page.next !== undefined) {
      await store.record(make(wishes))
      page = await store.list(tenant, filter, 10, page.next)
      seen.push(...page.verdicts.map(({ id }) => id))
    }
    t.same(seen.slice(-25), old, JSON.stringify(filter))
    t.equal(new Set(seen).size, seen.length)
  }
}

/** The ids of every page of at most ten. */
async function everyPage(store: Store, tenant: string, filter: VerdictFilter): Promise<string[][]> {
  const found: string[][] = []
  for (let position: ListPosition | undefined; ; ) {
    const { verdicts, next } = await store.list(tenant, filter, 10, position)
    found.push(verdicts.map(({ id }) => id))
    if (next === undefined) return found
    position = next
  }
}

async function endsEarly(t: Test, { store, tenant, make }: Room) {
  const late = 2 * examined - 1
  const records = Array.from({ length: 2 * examined + 50 }, (_, order) => {
    const identity = identityAt('2026-02-01T00:00:00Z', order)
    if (order === 7 || order === late) return make({ identity, family: 'windows-server', failed: ['a.b'] })
    return order % 2 === 0 ? make({ identity, failed: ['a.b'] }) : make({ identity, family: 'windows-server' })
  })
  await Promise.all(records.map((record) => store.record(record)))
  const idOf = (order: number) => identityAt('2026-02-01T00:00:00Z', order).id
  const filter = { failedRule: 'a.b', family: 'windows-server' }
  t.same(await everyPage(store, tenant, filter), [[idOf(late)], [idOf(7)]], 'two common filters that hardly meet')
  const none = { outcome: 'ready', severity: 'block' }
  t.same(await everyPage(store, tenant, none), [[], []], 'two that never do')
  const newest = await store.list(tenant, filter, 10)
  await store.record(make({ family: 'windows-server', failed: ['a.b'] }))
  t.same(
    (await store.list(tenant, filter, 10, newest.next)).verdicts.map(({ id }) => id),
    [idOf(7)],
    'what came since is left out',
  )
}

async function hidesNames(t: Test, { store, tenant, make }: Room) {
  const other = `${tenant}-other`
  const own = Array.from({ length: examined + 5 }, () => make({ subject: { imageName: 'mine' } }))
  const secret = Array.from({ length: examined + 5 }, () =>
    make({ tenant: other, subject: { imageName: 'payroll-secret' } }),
  )
  await Promise.all([...own, ...secret].map((record) => store.record(record)))
  const page = async (text: string) => {
    const { verdicts, next } = await store.list(tenant, { text }, 10)
    return { verdicts, goesOn: next !== undefined }
  }
  t.same(await page('payroll-secret'), await page('payroll-secreu'), 'a page is as long, whatever others have')
  t.equal((await everyPage(store, other, { text: 'payroll-secret' })).flat().length, examined + 5)
}

async function endsPages(t: Test, { store, tenant, make }: Room) {
  const records = Array.from({ length: 5 }, () => make())
  await Promise.all(records.map((record) => store.record(record)))
  const [newest = '', second = '', , fourth = ''] = records.map(({ verdict }) => verdict.id).reverse()
  t.equal((await store.list(tenant, {}, 5)).next, undefined)
  t.same((await store.list(tenant, {}, 2)).next, { upTo: newest, before: second })
  const pinned = await store.list(tenant, {}, 1, { upTo: fourth, before: second })
  t.match(pinned.verdicts, [{ id: fourth }])
  t.match(pinned.next, { upTo: fourth })
  t.equal((await store.list(tenant, {}, 0)).verdicts.length, 1, 'a page has at least one row')
}

async function checks(t: Test, { store, make }: Room) {
  await t.resolves(Promise.all(Array.from({ length: 20 }, () => store.check())))
  await store.record(make())
  await t.resolves(store.check())
}

async function finishesOnClose(t: Test, store: Store) {
  const accepted = Promise.all(Array.from({ length: 100 }, () => store.record(makeRecord())))
  await Promise.all([store.close(), accepted])
  t.ok((await accepted).every(({ kind }) => kind === 'recorded'))
  await t.rejects(store.record(makeRecord()), { code: 'SHUTTING_DOWN' })
  await t.rejects(store.recordRead('default', readAt('2026-01-01T00:00:00Z', 1)), { code: 'SHUTTING_DOWN' })
  await t.rejects(store.list('default', {}, 1), { code: 'STORE_UNAVAILABLE' })
  await t.rejects(store.check(), { code: 'STORE_UNAVAILABLE' })
}
