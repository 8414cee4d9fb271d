// Verdicts written as the service writes them: parsed, judged, sealed, under signed checkpoints, 256 requests at a time.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Checkpoints } from '../../dist/audit/checkpoints.js'
import { openStore } from '../../dist/audit/open.js'
import { openPool } from '../../dist/audit/postgres-connection.js'
import { makeNextPartitions } from '../../dist/audit/postgres-partitions.js'
import { evaluateAndRecord } from '../../dist/evaluation/record.js'
import { requestOf, timeOf } from './documents.mjs'

const inFlight = 256
const portion = 10_000

export const silent = { info: () => undefined, warn: (details, message) => console.error(message, details) }

/** The key of the checkpoints, kept beside the databases; its public part is what the verifier wants. */
export function checkpointKey(folder) {
  const file = join(folder, 'checkpoint.pem')
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  }
  const key = createPrivateKey(readFileSync(file, 'utf8'))
  writeFileSync(join(folder, 'checkpoint-public.pem'), createPublicKey(key).export({ type: 'spki', format: 'pem' }))
  return key
}

/** Records in several stores at once, waiting where one has too much to seal or is kept too long by its disk. */
function inAll(stores) {
  const patiently = async (store, record) => {
    for (;;) {
      try {
        return await store.record(record)
      } catch (error) {
        if (error.code !== 'OVERLOADED' && error.code !== 'STORE_UNAVAILABLE') throw error
        await sleep(200)
      }
    }
  }
  return {
    idempotent: (tenant, idempotencyKey) => stores[0].idempotent(tenant, idempotencyKey),
    record: async (record) => (await Promise.all(stores.map((store) => patiently(store, record))))[0],
  }
}

async function openAt(places, count, key) {
  const place = places.place(count)
  const store = await openStore(place, silent)
  const checkpoints = await Checkpoints.start({ store, key, seconds: 60, log: silent, now: () => new Date() })
  const pool = place.kind === 'postgres' ? openPool({ url: place.url, size: 1 }) : undefined
  return {
    store,
    /** As the service's upkeep does each day. */
    makePartitions: async (now) => pool && (await makeNextPartitions(pool, now)),
    async close() {
      await checkpoints.close()
      await pool?.end()
      await store.close()
    },
  }
}

/**
 * Writes what databases lack of a count, each verdict into all that do. What was in flight when an earlier run was stopped
 * is written anew or left out.
 */
export async function fill(databases, count, key, fleet) {
  const written = async (places) =>
    Number((await places.ask(count, 'SELECT count(*) AS written FROM verdicts'))[0].written)
  const opened = []
  for (const places of databases) {
    const { close } = await openAt(places, count, key)
    await close()
    const found = await written(places)
    if (found < count) opened.push({ places, found })
  }
  if (opened.length === 0) return { written: 0, seconds: 0 }
  const first = Math.min(...opened.map(({ found }) => found))
  for (const one of opened) Object.assign(one, await openAt(one.places, count, key))
  const store = inAll(opened.map((one) => one.store))
  const started = performance.now()
  let next = first
  const one = async (n) => {
    const { now, request } = requestOf(n)
    await evaluateAndRecord({ ...fleet, store, now: () => now }, request)
  }
  try {
    while (next < count) {
      for (const { makePartitions } of opened) await makePartitions(timeOf(next))
      const end = Math.min(next + portion, count)
      const client = async () => {
        while (next < end) await one(next++)
      }
      await Promise.all(Array.from({ length: inFlight }, client))
      const rate = (next - first) / ((performance.now() - started) / 1000)
      console.error(
        `${opened.map(({ places }) => places.about).join(' and ')}: ${next} of ${count} verdicts, ${Math.round(rate)} a second`,
      )
    }
  } finally {
    for (const { close } of opened) await close()
  }
  for (const { places } of opened) await places.settle(count)
  return { written: count - first, seconds: (performance.now() - started) / 1000 }
}
