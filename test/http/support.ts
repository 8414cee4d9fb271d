import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { type Logger, pino } from 'pino'
import { buildApp } from '../../server/app.ts'
import { Checkpoints } from '../../server/audit/checkpoints.ts'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import type { Store } from '../../server/audit/store.ts'
import { type Authenticate, admitEverybody } from '../../server/http/access.ts'
import type { Lifecycle, Limits } from '../../server/http/deps.ts'
import { createMetrics } from '../../server/http/metrics.ts'
import { type LiveOptions, LivePolicies } from '../../server/policy/live.ts'
import { loadPolicies, shippedPolicies } from '../../server/policy/load.ts'
import type { PolicySet, ReleasedPolicy } from '../../server/policy/set.ts'
import { hear } from '../support/leaks.ts'

/** An example document's bytes. */
export function example(name: string): Buffer {
  return readFileSync(new URL(`../../examples/${name}`, import.meta.url))
}

/** A small valid document; the name makes it differ from others. */
export function facts(name: string): string {
  const sources = [
    {
      pointers: [''],
      collector: 'test',
      version: '1',
      method: 'written by hand',
      basis: 'attested',
      at: '2026-01-01T00:00:00Z',
    },
  ]
  return JSON.stringify({ schema: 'imagegate.facts/1', image: { name }, collection: { sources } })
}

/** Everything that a test of the app may want to look at. */
export interface Stage {
  readonly app: FastifyInstance
  readonly store: Store
  readonly checkpoints: Checkpoints
  readonly policies: PolicySet
  readonly lifecycle: Lifecycle
  /** Lines of the log, parsed. */
  readonly log: Record<string, unknown>[]
  readonly file: string
  close(): Promise<void>
}

/** The keys of the checkpoints that an app on a stage signs. */
export const checkpointKeys = generateKeyPairSync('ed25519')

let loaded: Promise<PolicySet> | undefined

/** The shipped policies, loaded once per process. */
export function policies(): Promise<PolicySet> {
  loaded ??= loadPolicies(shippedPolicies, { released: false })
  return loaded
}

/** A pino logger whose lines are kept. */
export function keepingLogger(log: Record<string, unknown>[]): Logger {
  function write(line: string): void {
    hear(line)
    log.push(JSON.parse(line))
  }
  return pino({ base: null }, { write })
}

/** Policies that reloading does not change. */
function fixed(set: PolicySet, log: Logger): LiveOptions {
  return { load: async () => ({ set }), accept: async () => undefined, now: () => new Date(), log }
}

/** An app on a database of its own in a directory. */
export async function stage(
  directory: string,
  limits: Partial<Limits> = {},
  candidate?: ReleasedPolicy,
  authenticate: (store: Store) => Authenticate = () => admitEverybody,
): Promise<Stage> {
  const log: Record<string, unknown>[] = []
  const logger = keepingLogger(log)
  const file = join(directory, 'imagegate.db')
  const store = await openSqliteStore({ file, log: logger })
  const lifecycle: Lifecycle = { phase: 'serving' }
  const set = await policies()
  const checkpoints = await Checkpoints.start({
    store,
    key: checkpointKeys.privateKey,
    seconds: 3600,
    log: logger,
    now: () => new Date(),
  })
  const app = await buildApp({
    policies: await LivePolicies.start({ set, ...(candidate && { candidate }) }, fixed(set, logger)),
    store,
    checkpoints,
    logger,
    lifecycle,
    authenticate: authenticate(store),
    metrics: createMetrics(),
    now: () => new Date(),
    limits: {
      bodySeconds: 5,
      batchWindow: 64,
      maxDelayMs: 0,
      loopbackOnly: false,
      requestsPerMinute: 0,
      failuresPerMinute: 0,
      trustedProxies: [],
      ...limits,
    },
  })
  const close = async () => {
    await app.close()
    await checkpoints.close()
    await store.close()
  }
  return { app, store, checkpoints, policies: set, lifecycle, log, file, close }
}

/** A problem as it was answered; fails when it is none. */
export function problem(answer: { headers: Record<string, unknown>; body: string }) {
  const type = String(answer.headers['content-type'])
  if (!type.startsWith('application/problem+json')) throw new Error(`no problem but ${type}`)
  const parsed: {
    type: string
    title: string
    status: number
    detail: string
    code: string
    instance: string
    problems?: { pointer?: string; message: string }[]
    total?: number
  } = JSON.parse(answer.body)
  return parsed
}

/** Headers of a fact document. */
export const json = { 'content-type': 'application/json' }

/** Headers of a batch. */
export const ndjson = { 'content-type': 'application/x-ndjson' }
