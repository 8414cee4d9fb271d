import { setTimeout as sleep } from 'node:timers/promises'
import { type Logger, pino } from 'pino'
import { buildApp } from './app.ts'
import { openSqliteStore } from './audit/sqlite.ts'
import type { Store } from './audit/store.ts'
import type { Config } from './config.ts'
import type { Lifecycle } from './http/deps.ts'
import { createMetrics, observeProcess } from './http/metrics.ts'
import { loadPolicies } from './policy/load.ts'
import { compilePolicy } from './policy/program.ts'
import { prepareValidator } from './schemas.ts'

/** A running service. */
export interface Running {
  /** Where it listens, as a URL without a path. */
  readonly url: string
  readonly logger: Logger
  /** Stops in order and within the configured time; false when requests in flight had to be cut off. */
  close(): Promise<boolean>
}

/** How often connections that have become idle are closed while stopping, in milliseconds. */
const sweepMs = 50

function createLogger(level: string): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime })
}

async function listen(
  config: Config,
  { store, lifecycle, logger }: { store: Store; lifecycle: Lifecycle; logger: Logger },
) {
  const policies = await loadPolicies(config.policies)
  // Done before listening, so that the first request does not wait for it.
  prepareValidator('facts')
  for (const { policy } of policies.versions) compilePolicy(policy)
  const metrics = createMetrics()
  observeProcess(metrics)
  const app = await buildApp({ policies, store, logger, metrics, lifecycle, limits: config, now: () => new Date() })
  app.server.maxConnections = config.maxConnections
  const url = await app.listen({ host: config.host, port: config.port })
  logger.info({ url, policies: policies.versions.length }, 'listening')
  return { app, url }
}

/**
 * Starts the service: policies, database, HTTP. Rejects with POLICY_INVALID, POLICY_CHANGED, FILE_UNREADABLE,
 * STORE_INCOMPATIBLE or STORE_UNAVAILABLE, or with the system's error when the port is taken.
 */
export async function start(config: Config, logger: Logger = createLogger(config.logLevel)): Promise<Running> {
  const store = await openSqliteStore({ file: config.databaseFile, log: logger })
  const lifecycle: Lifecycle = { phase: 'serving' }
  const { app, url } = await listen(config, { store, lifecycle, logger }).catch(async (error: unknown) => {
    await store.close()
    throw error
  })

  async function stop(): Promise<boolean> {
    lifecycle.phase = 'draining'
    logger.info({ phase: lifecycle.phase }, 'stopping')
    await sleep(config.shutdownDelaySeconds * 1000)
    lifecycle.phase = 'closing'
    let complete = true
    // A connection whose last answer began before the end keeps alive until it is swept.
    const sweep = setInterval(() => app.server.closeIdleConnections(), sweepMs)
    const cut = setTimeout(() => {
      complete = false
      app.server.closeAllConnections()
    }, config.shutdownSeconds * 1000)
    try {
      await app.close()
    } finally {
      clearInterval(sweep)
      clearTimeout(cut)
      await store.close()
    }
    logger.info({ complete }, 'stopped')
    return complete
  }

  let stopping: Promise<boolean> | undefined
  const close = () => {
    stopping ??= stop()
    return stopping
  }
  return { url, logger, close }
}

/** Resolves with the exit code once SIGTERM or SIGINT has stopped the service; a second signal exits at once. */
export function closeOnSignal(running: Running): Promise<number> {
  return new Promise((resolve) => {
    let signals = 0
    const onSignal = () => {
      signals += 1
      if (signals > 1) process.exit(1)
      running.close().then(
        (complete) => resolve(complete ? 0 : 1),
        () => resolve(1),
      )
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}
