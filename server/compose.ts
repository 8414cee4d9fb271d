import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Server as TlsServer } from 'node:tls'
import { type DestinationStream, type Logger, pino } from 'pino'
import { buildApp } from './app.ts'
import { Checkpoints } from './audit/checkpoints.ts'
import { openStore } from './audit/open.ts'
import type { Store } from './audit/store.ts'
import type { Config } from './config.ts'
import { ImagegateError } from './errors.ts'
import { type Authenticate, admitEverybody } from './http/access.ts'
import { ApiKeyCallers } from './http/api-key-callers.ts'
import { bearerAuthentication } from './http/bearer.ts'
import type { Deps, Lifecycle } from './http/deps.ts'
import { listenForHealth } from './http/health-listener.ts'
import { createMetrics, observeProcess } from './http/metrics.ts'
import { tokenCallers } from './http/token-callers.ts'
import { privateKey } from './policy/bundle-key.ts'
import { LivePolicies, type ReloadResult } from './policy/live.ts'
import { loadSource, policySource } from './policy/load-source.ts'
import { LoadingThread } from './policy/load-thread.ts'
import { lookAtFiles, watchFiles } from './policy/load-watch.ts'
import { prepareValidator } from './schemas.ts'
import { readTls } from './tls.ts'

/** A running service. */
export interface Running {
  /** Where it listens, as a URL without a path. */
  readonly url: string
  readonly logger: Logger
  /** Reads the certificate anew, and loads the policies anew, each all or nothing; never rejects. */
  reload(): Promise<ReloadResult>
  /** Stops in order and within the configured time; false when requests in flight had to be cut off. */
  close(): Promise<boolean>
}

/** How often connections that have become idle are closed while stopping, in milliseconds. */
const sweepMs = 50

/** The service's log: JSON lines on standard output, or where it is told. */
export function createLogger(level: string, destination: DestinationStream = pino.destination(1)): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination)
}

/** Policies that are read once here, where no request waits, and from then on in a thread. */
async function servePolicies(
  config: Config,
  store: Store,
  log: Logger,
): Promise<{ live: LivePolicies; stop(): Promise<void> }> {
  const { policies, policyCandidate: candidate } = config
  const source = { ...policySource(config), ...(candidate !== undefined && { candidate }) }
  const files = candidate === undefined ? [policies] : [policies, candidate]
  const seen = await lookAtFiles(files)
  const thread = new LoadingThread(source)
  const live = await LivePolicies.start(await loadSource(source), {
    load: (serving) => thread.load(serving),
    accept: (bundle) => store.acceptBundle(bundle),
    now: () => new Date(),
    log,
  })
  const watching = new AbortController()
  const watched = config.policyWatch ? watchFiles(files, seen, () => live.reload(), watching.signal) : Promise.resolve()
  async function stop(): Promise<void> {
    watching.abort()
    await watched
    await live.settled()
    await thread.close()
  }
  return { live, stop }
}

async function authenticationOf(
  { authenticated, issuer }: Config,
  store: Store,
  now: () => Date,
): Promise<Authenticate> {
  if (!authenticated) return admitEverybody
  const keys = new ApiKeyCallers(store, now)
  if (issuer === undefined) return bearerAuthentication(keys)
  const { tokenVerifier } = await import('./issuer/token.ts')
  return bearerAuthentication(keys, tokenCallers(tokenVerifier(issuer, now), now))
}

/** New connections get the certificate that the files hold now; when they hold none, the one that is used stays. */
function reloadTls({ tls }: Config, server: unknown, logger: Logger): void {
  if (tls === undefined || !(server instanceof TlsServer)) return
  try {
    server.setSecureContext({ ...readTls(tls), minVersion: 'TLSv1.2' })
    logger.info({ certificate: tls.certificate }, 'certificate read again')
  } catch (error) {
    const { code, message } = error instanceof ImagegateError ? error : { code: 'INTERNAL', message: 'unforeseen' }
    logger.error({ code, reason: message }, 'The certificate could not be read again; the one in use stays')
  }
}

/** Who may call is told at the start, because nothing else shows it. */
async function tellWhoMay({ authenticated, issuer }: Config, store: Store, logger: Logger): Promise<void> {
  if (!authenticated) {
    logger.warn({ authentication: 'none' }, 'Everybody on this machine may do everything, and nobody else is answered')
    return
  }
  if (issuer !== undefined || (await store.apiKeys()).length > 0) return
  logger.warn({ authentication: 'required' }, 'There is no API key yet: make one with imagegate keys create')
}

/** Checkpoints of the chain, signed where a key is configured. */
async function keepCheckpoints(config: Config, store: Store, log: Logger): Promise<Checkpoints> {
  const { checkpointKey: file, checkpointDirectory: directory, checkpointSeconds: seconds } = config
  const key = file === undefined ? undefined : privateKey(await readText(file), file)
  return await Checkpoints.start({ store, key, directory, seconds, log, now: () => new Date() })
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new ImagegateError('FILE_UNREADABLE', `${file} cannot be read.`, { cause })
  }
}

async function listen(
  config: Config,
  deps: Pick<Deps, 'store' | 'lifecycle' | 'policies' | 'checkpoints'>,
  logger: Logger,
) {
  // Done before listening, so that the first request does not wait for it.
  prepareValidator('facts')
  const metrics = createMetrics()
  observeProcess(metrics)
  const now = () => new Date()
  const authenticate = await authenticationOf(config, deps.store, now)
  const { authenticated, requestsPerMinute } = config
  const limits = { ...config, loopbackOnly: !authenticated, requestsPerMinute: authenticated ? requestsPerMinute : 0 }
  const tls = config.tls && readTls(config.tls)
  const app = await buildApp({ ...deps, authenticate, logger, metrics, limits, now, ...(tls && { tls }) })
  app.server.maxConnections = config.maxConnections
  const { host, port } = config
  const plain = await app.listen({ host, port })
  const url = tls === undefined ? plain : plain.replace(/^http:/, 'https:')
  const health = await listenForHealth(app, config).catch(async (error: unknown) => {
    await app.close()
    throw error
  })
  await tellWhoMay(config, deps.store, logger)
  const { digest, set } = deps.policies.served
  logger.info({ url, ...health, policies: digest, versions: set.versions.length }, 'listening')
  return { app, url }
}

/**
 * Starts the service: policies, database, HTTP. Rejects with what loadSource throws, BUNDLE_ROLLBACK,
 * STORE_INCOMPATIBLE or STORE_UNAVAILABLE, KEY_INVALID or FILE_UNREADABLE for what checkpoints need, or with the
 * system's error when the port is taken.
 */
export async function start(config: Config, logger: Logger = createLogger(config.logLevel)): Promise<Running> {
  const store = await openStore(config.database, logger)
  const lifecycle: Lifecycle = { phase: 'serving' }
  const opened: (() => Promise<unknown>)[] = [() => store.close()]
  async function open() {
    const policies = await servePolicies(config, store, logger)
    opened.unshift(policies.stop)
    const checkpoints = await keepCheckpoints(config, store, logger)
    // Closed before the store, and after the last request: the last checkpoint covers it.
    opened.splice(-1, 0, () => checkpoints.close())
    const deps = { store, lifecycle, policies: policies.live, checkpoints }
    return { policies, ...(await listen(config, deps, logger)) }
  }
  const { policies, app, url } = await open().catch(async (error: unknown) => {
    for (const close of opened) await close()
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
      for (const close of opened) await close()
    }
    logger.info({ complete }, 'stopped')
    return complete
  }

  let stopping: Promise<boolean> | undefined
  const close = () => {
    stopping ??= stop()
    return stopping
  }
  const reload = () => {
    reloadTls(config, app.server, logger)
    return policies.live.reload()
  }
  return { url, logger, reload, close }
}

/** Reloads the policies and the certificate on every SIGHUP. */
export function reloadOnSignal(running: Running): void {
  process.on('SIGHUP', () => void running.reload())
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
        (error: unknown) => {
          running.logger.error({ err: error }, 'stopping failed')
          resolve(1)
        },
      )
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}
