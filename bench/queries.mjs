// How long the first page of every documented query takes, through the HTTP application, in a record of 100,000 verdicts
// and in one of a million, written through the service's own code path. Rounds alternate between the two. The goals: each
// median below 20 ms, and in the larger record at most twice that in the smaller, where less than half a millisecond
// counts as half a millisecond. Ends with 1 when one is missed.
//
//   npm run build && node bench/queries.mjs [databases] [folder] [counts] [repetitions] [folder of plans]
//
// Databases are sqlite, postgres: (a server of its own in the folder), a superuser's postgres URL, or several with commas
// between, which are written at once: each verdict is judged once and recorded in all of them. They stay in the folder, and
// writing goes on where it stopped. The plans at the largest count are written to plans-sqlite.txt and plans-postgres.txt.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { buildApp } from '../dist/app.js'
import { Checkpoints } from '../dist/audit/checkpoints.js'
import { openStore } from '../dist/audit/open.js'
import { readConfig } from '../dist/config.js'
import { anonymous } from '../dist/http/caller.js'
import { createMetrics } from '../dist/http/metrics.js'
import { LivePolicies } from '../dist/policy/live.js'
import { casesOf, findPlaces, findValues } from './queries/cases.mjs'
import { fleetPolicies } from './queries/documents.mjs'
import { checkpointKey, fill, silent } from './queries/fill.mjs'
import { openPlaces } from './queries/places.mjs'
import { explainer, statementsOf } from './queries/plans.mjs'

const goal = { medianMs: 20, ratio: 2, floorMs: 0.5 }
const [
  nameList = 'sqlite,postgres:',
  folder = '/var/tmp/imagegate-queries',
  countList = '100000,1000000',
  repetitions = '31',
  plans,
] = process.argv.slice(2)
const counts = countList
  .split(',')
  .map(Number)
  .sort((one, other) => one - other)
const [smallest] = counts
const names = nameList.split(',')

/** The milliseconds that the store took since it was last asked. */
function clocked(store) {
  let spent = 0
  const timed = new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return (...parameters) => {
        const start = performance.now()
        const result = method.apply(target, parameters)
        if (typeof result?.then !== 'function') return result
        return result.finally(() => {
          spent += performance.now() - start
        })
      }
    },
  })
  const taken = () => {
    const since = spent
    spent = 0
    return since
  }
  return { store: timed, taken }
}

/** The HTTP application on a database, as the service builds it. */
async function serve(place, key, { policies: set, candidate }) {
  const opened = await openStore(place, silent)
  const { store, taken } = clocked(opened)
  const now = () => new Date()
  const live = { load: async () => ({ set }), accept: async () => undefined, now, log: silent }
  const checkpoints = await Checkpoints.start({ store: opened, key, seconds: 3600, log: silent, now })
  const app = await buildApp({
    store,
    checkpoints,
    policies: await LivePolicies.start({ set, candidate }, live),
    logger: pino({ level: 'error' }),
    lifecycle: { phase: 'serving' },
    authenticate: async ({ headers }) => ({ ...anonymous, tenant: headers['bench-tenant'] ?? anonymous.tenant }),
    metrics: createMetrics(),
    now,
    limits: { ...readConfig({}), maxDelayMs: 0, loopbackOnly: false, requestsPerMinute: 0, failuresPerMinute: 0 },
  })
  const close = async () => {
    await app.close()
    await checkpoints.close()
    await opened.close()
  }
  return { app, taken, close }
}

/** A request, and the milliseconds that its answer and the store took. */
async function ask({ app, taken }, { url, tenant = 'default' }) {
  taken()
  const start = performance.now()
  const answer = await app.inject({ url, headers: { 'bench-tenant': tenant } })
  const total = performance.now() - start
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode} ${answer.body.slice(0, 300)}`)
  return { total, store: taken(), answer }
}

/** The cases of a database, those of a second page where it begins. */
async function prepare(service, places, count, values) {
  const openapi = (await service.app.inject('/openapi.json')).json()
  const cases = casesOf(openapi, values, await findPlaces((sql, given) => places.ask(count, sql, given)), count)
  for (const one of cases) {
    const first = await ask(service, one)
    Object.assign(one, { first: first.total, totals: [], stores: [] })
    if (one.following !== true) continue
    const [, next] = /<(.*)>; rel="next"/.exec(first.answer.headers.link ?? '') ?? []
    if (next === undefined) throw new Error(`${one.name} at ${count} has no second page.`)
    one.url = next
  }
  return { count, service, cases }
}

const percentile = (numbers, part) =>
  numbers.toSorted((one, other) => one - other)[Math.floor((numbers.length - 1) * part)]
const rows = (answer) => Object.values(answer.json()).find(Array.isArray)?.length ?? 1

async function writePlans(file, places, { count, service, cases }) {
  const { explain, close } = explainer(places.place(count))
  const lines = [
    `${places.about}, ${count} verdicts. Without costs and times, and without months of which nothing was read or found; [row policy] is the condition of row-level security, left out where it stands alone.`,
  ]
  for (const one of cases) {
    lines.push('', `## ${one.name}`)
    const told = new Set()
    for (const statement of await statementsOf(() => ask(service, one))) {
      const plan = (await explain(one.tenant ?? 'default', statement)).join('\n')
      if (!told.has(plan)) lines.push(plan)
      told.add(plan)
    }
  }
  await close()
  writeFileSync(file, `${lines.join('\n')}\n`)
}

function report(measured) {
  const [small, large] = [measured[0], measured.at(-1)]
  const names = measured.flatMap(({ count }) => [`${count}: first`, 'median', 'p95', 'store'])
  console.log(`| query | rows | ${names.join(' | ')} | ratio | |\n|---|${'---|'.repeat(names.length + 3)}`)
  let missed = 0
  for (const [index, { name, found }] of large.cases.entries()) {
    const cells = measured.flatMap(({ cases }) => {
      const { first, totals, stores } = cases[index]
      return [first, percentile(totals, 0.5), percentile(totals, 0.95), percentile(stores, 0.5)].map((one) =>
        one.toFixed(1),
      )
    })
    const [before, after] = [small, large].map(({ cases }) => percentile(cases[index].totals, 0.5))
    const ratio = Math.max(after, goal.floorMs) / Math.max(before, goal.floorMs)
    const misses = [
      ...(Math.max(before, after) >= goal.medianMs ? [`${goal.medianMs} ms`] : []),
      ...(ratio > goal.ratio ? [`${goal.ratio} times`] : []),
    ]
    if (misses.length > 0) missed += 1
    console.log(
      `| ${name} | ${found} | ${cells.join(' | ')} | ${ratio.toFixed(2)} | ${misses.length > 0 ? `misses ${misses.join(' and ')}` : ''} |`,
    )
  }
  console.log(`\n${large.cases.length} queries, ${missed} miss a goal.`)
  return missed
}

/** Measures one database at every count. */
async function measure(places) {
  const opened = []
  try {
    const values = await findValues((sql, given) => places.ask(smallest, sql, given))
    for (const count of counts) {
      opened.push(await serve(places.place(count), key, fleet))
      opened.at(-1).measured = await prepare(opened.at(-1), places, count, values)
    }
    const measured = opened.map(({ measured: one }) => one)
    if (Number(repetitions) === 0) return
    const before = loadavg()
    for (let repetition = 0; repetition < Number(repetitions); repetition += 1) {
      for (const index of measured[0].cases.keys()) {
        for (const { service, cases } of measured) {
          const { total, store, answer } = await ask(service, cases[index])
          cases[index].totals.push(total)
          cases[index].stores.push(store)
          cases[index].found ??= rows(answer)
        }
      }
    }
    const load = [before[0], loadavg()[0]].map((one) => one.toFixed(1)).join(' to ')
    console.log(
      `\n${places.about}, Node ${process.version}, ${cpus().length} processors, load ${load}, milliseconds of ${repetitions}\n`,
    )
    if (report(measured) > 0) process.exitCode = 1
    if (plans !== undefined) await writePlans(join(plans, `plans-${places.kind}.txt`), places, measured.at(-1))
  } finally {
    for (const { close } of opened) await close()
  }
}

mkdirSync(folder, { recursive: true })
const key = checkpointKey(folder)
const fleet = await fleetPolicies()
const databases = []
for (const name of names) databases.push(await openPlaces(name, folder))
try {
  for (const [index, count] of counts.entries()) {
    for (const places of databases) {
      if (await places.exists(count)) continue
      await (index > 0 ? places.copy(counts[index - 1], count) : places.create(count))
    }
    const { written, seconds } = await fill(databases, count, key, fleet)
    const sizes = []
    for (const places of databases) sizes.push(`${places.about} ${((await places.size(count)) / 1e9).toFixed(2)} GB`)
    console.log(`${count} verdicts: ${sizes.join(', ')}; ${written} of them written now in ${seconds.toFixed(0)} s`)
  }
  for (const places of databases) await measure(places)
} finally {
  for (const { stop } of databases) await stop()
}
