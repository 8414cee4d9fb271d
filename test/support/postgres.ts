import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Test } from 'tap'
import { noteSecret } from './leaks.ts'

const given = process.env['IMAGEGATE_TEST_POSTGRES_URL']

/** Folder of the newest server programs that Debian's packages installed. */
const programs = newestPrograms()

/** Why tests that need a PostgreSQL server are skipped, or false. */
export const noPostgres =
  given === undefined && programs === undefined ? 'no PostgreSQL: install Debian’s package postgresql' : false

/** Why tests that stop, kill or copy the server are skipped, or false: a given server is not ours to stop. */
export const noOwnPostgres = given === undefined ? noPostgres : 'the PostgreSQL server is a given one'

function newestPrograms(): string | undefined {
  const root = '/usr/lib/postgresql'
  try {
    const versions = readdirSync(root).map(Number).filter(Number.isInteger)
    return versions.length === 0 ? undefined : join(root, String(Math.max(...versions)), 'bin')
  } catch {
    return undefined
  }
}

/** PostgreSQL refuses to run as root, so root lends it another user. */
function user(): Pick<SpawnOptions, 'uid' | 'gid'> {
  if (process.getuid?.() !== 0) return {}
  const [, , uid, gid] = /^(?:postgres|nobody):.*/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[0].split(':') ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

async function run(program: string, parameters: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<void> {
  const child = spawn(join(programs ?? '', program), parameters, {
    ...user(),
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let told = ''
  child.stderr?.on('data', (chunk) => {
    told += chunk
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${told}`)
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('There is no free port.')
  return address.port
}

function folder(t: Test): string {
  const made = mkdtempSync(join(tmpdir(), 'imagegate-pg-'))
  const { uid, gid } = user()
  if (uid !== undefined && gid !== undefined) chownSync(made, uid, gid)
  t.teardown(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** What every server of the tests is started with; durable as in production, small as a test should be. */
const settings = {
  fsync: 'on',
  full_page_writes: 'on',
  listen_addresses: '127.0.0.1',
  max_connections: '80',
  shared_buffers: '32MB',
  max_wal_senders: '4',
  wal_level: 'replica',
  log_min_messages: 'panic',
}

/** A database cluster of our own: its folder, its port, and the process that serves it. */
export class Cluster {
  readonly port: number
  readonly folder: string
  readonly password: string
  #process: ChildProcess | undefined
  #settings: Readonly<Record<string, string>>

  constructor(place: { folder: string; port: number; password: string }, more: Readonly<Record<string, string>> = {}) {
    this.folder = place.folder
    this.port = place.port
    this.password = place.password
    this.#settings = { ...settings, unix_socket_directories: place.folder, ...more }
  }

  /** URL of a database for the superuser. */
  superuser(database = 'postgres'): string {
    return `postgres://postgres:${this.password}@127.0.0.1:${this.port}/${database}`
  }

  /** Process id of the server's first process. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Starts the server and waits until it answers; settings given here hold from now on. */
  async start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#settings = { ...this.#settings, ...more }
    const parameters = Object.entries(this.#settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(
      join(programs ?? '', 'postgres'),
      ['-D', join(this.folder, 'data'), '-p', String(this.port), ...parameters],
      { ...user(), cwd: '/', env: { LC_ALL: 'C', TZ: 'UTC' }, stdio: ['ignore', 'ignore', 'inherit'] },
    )
    this.#process = child
    // Should the test die without its teardowns, the server must not outlive it.
    const kill = () => child.kill('SIGQUIT')
    process.once('exit', kill)
    child.once('exit', () => process.removeListener('exit', kill))
    await this.answers()
  }

  /** Waits until the server answers. */
  async answers(): Promise<void> {
    for (const end = Date.now() + 30_000; ; await sleep(20)) {
      if (this.#process?.exitCode !== null) throw new Error('The PostgreSQL server ended.')
      const client = new pg.Client({ connectionString: this.superuser() })
      client.on('error', () => undefined)
      try {
        await client.connect()
        await client.end()
        return
      } catch (error) {
        if (Date.now() > end) throw error
      }
    }
  }

  /** Stops the server: fast (SIGINT) unless told otherwise; SIGKILL leaves a cluster that must recover. */
  async stop(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL' = 'SIGINT'): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }

  /** Kills every process of the server at once, as a power cut would, so that none of them can tell anybody anything. */
  async crash(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
    child.kill('SIGKILL')
    for (const pid of children.split(' ').filter(Boolean).map(Number)) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It had ended.
      }
    }
    await once(child, 'exit')
  }

  /** A running standby of this cluster, by streaming replication. */
  async standby(t: Test, name = 'standby', more: Readonly<Record<string, string>> = {}): Promise<Cluster> {
    const place = { folder: folder(t), port: await freePort(), password: this.password }
    const source = `host=127.0.0.1 port=${this.port} user=postgres password=${this.password} application_name=${name}`
    await run('pg_basebackup', ['-D', join(place.folder, 'data'), '-R', '-X', 'stream', '-c', 'fast', '-d', source])
    const standby = new Cluster(place, { primary_conninfo: source, ...more })
    t.teardown(() => standby.stop('SIGQUIT'))
    await standby.start()
    return standby
  }
}

/** A new and running cluster, stopped and removed at the test's end. */
export async function startCluster(t: Test, more: Readonly<Record<string, string>> = {}): Promise<Cluster> {
  const place = { folder: folder(t), port: await freePort(), password: noteSecret(randomBytes(12).toString('hex')) }
  const passwords = join(place.folder, 'password')
  writeFileSync(passwords, place.password, { mode: 0o644 })
  await run('initdb', [
    ...['-D', join(place.folder, 'data'), '-U', 'postgres', '-E', 'UTF8', '--locale=C', '--no-sync'],
    ...['--auth=scram-sha-256', `--pwfile=${passwords}`],
  ])
  const cluster = new Cluster(place, more)
  t.teardown(() => cluster.stop('SIGQUIT'))
  await cluster.start()
  return cluster
}

/** Runs statements on a connection of their own and gives the rows of the last. */
export async function queryAt(url: string, ...statements: readonly string[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    let rows: Record<string, unknown>[] = []
    for (const statement of statements) ({ rows } = await client.query(statement))
    return rows
  } finally {
    await client.end()
  }
}

/** Makes databases on one server: our own cluster, or the given one. */
export interface Databases {
  /** URL of a new and empty database, which an ordinary role owns. */
  create(): Promise<string>
  /** The same database for the superuser. */
  superuser(url: string): string
}

const role = `imagegate_test_${process.pid}`

/** Databases of a cluster. The role that owns them is no superuser, so that row-level security holds. */
export async function databasesOf(superuser: string): Promise<Databases> {
  const password = noteSecret(randomBytes(12).toString('hex'))
  await queryAt(superuser, `DROP ROLE IF EXISTS ${role}`, `CREATE ROLE ${role} LOGIN PASSWORD '${password}'`)
  let count = 0
  const at = (database: string, name?: string) => {
    const url = new URL(superuser)
    url.pathname = `/${database}`
    if (name !== undefined) Object.assign(url, { username: name, password })
    return url.href
  }
  return {
    async create() {
      count += 1
      const name = `${role}_${count}`
      await queryAt(superuser, `CREATE DATABASE ${name} OWNER ${role} TEMPLATE template0`)
      return at(name, role)
    },
    superuser: (url) => at(new URL(url).pathname.slice(1)),
  }
}

/** Databases on the given server, or on a cluster that is started for this test. */
export async function startPostgres(t: Test): Promise<Databases> {
  const superuser = given ?? (await startCluster(t)).superuser()
  const databases = await databasesOf(superuser)
  if (given !== undefined) t.teardown(() => dropAll(given))
  return databases
}

async function dropAll(superuser: string): Promise<void> {
  const made = await queryAt(superuser, `SELECT datname FROM pg_database WHERE datdba = '${role}'::regrole`)
  for (const { datname } of made) await queryAt(superuser, `DROP DATABASE ${datname} WITH (FORCE)`)
  await queryAt(superuser, `DROP ROLE ${role}`)
}
