// Databases of the same verdicts, one for each count, in a folder that outlives a run: SQLite files, or a PostgreSQL
// cluster of our own, or a given server. A larger one begins as a copy of the next smaller.
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import pg from 'pg'

/** SQLite: a file a count. */
function sqlitePlaces(folder) {
  mkdirSync(folder, { recursive: true })
  const fileOf = (count) => join(folder, `sqlite-${count}.db`)
  return {
    kind: 'sqlite',
    about: `SQLite ${new Database(':memory:').prepare('SELECT sqlite_version()').pluck().get()}`,
    place: (count) => ({ kind: 'sqlite', file: fileOf(count) }),
    exists: async (count) => existsSync(fileOf(count)),
    /** The smaller one is closed, so its log is in it. */
    async copy(from, to) {
      const { status, stderr } = spawnSync('cp', [fileOf(from), `${fileOf(to)}.part`], { encoding: 'utf8' })
      if (status !== 0) throw new Error(stderr)
      spawnSync('mv', [`${fileOf(to)}.part`, fileOf(to)])
    },
    create: async () => undefined,
    /** Rows of a query beside the service, parameters as $1, $2. */
    async ask(count, sql, parameters = []) {
      const db = new Database(fileOf(count), { readonly: true })
      try {
        return db.prepare(sql.replaceAll(/\$\d/g, '?')).all(...parameters)
      } finally {
        db.close()
      }
    },
    /** What autovacuum does elsewhere; statistics here are fixed. */
    settle: async () => undefined,
    size: async (count) => statSync(fileOf(count)).size,
    stop: async () => undefined,
  }
}

const role = 'imagegate_bench'

/** PostgreSQL refuses to run as root, so root lends it another user. */
function lentUser() {
  if (process.getuid() !== 0) return {}
  const [, , uid, gid] = /^(?:postgres|nobody):.*/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[0].split(':') ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** What a small server would be given; durable as in production, all else as it comes. */
const settings = {
  listen_addresses: '127.0.0.1',
  shared_buffers: '1GB',
  max_wal_size: '4GB',
  fsync: 'on',
  log_min_messages: 'fatal',
}

/** Starts the cluster in the folder, making it first when there is none. */
async function startCluster(folder) {
  const root = '/usr/lib/postgresql'
  const programs = join(root, String(Math.max(...readdirSync(root).map(Number))), 'bin')
  const cluster = join(folder, 'postgres')
  const passwordFile = join(cluster, 'password')
  const user = lentUser()
  const options = { ...user, cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } }
  if (!existsSync(join(cluster, 'data', 'PG_VERSION'))) {
    mkdirSync(cluster, { recursive: true })
    if (user.uid !== undefined) chownSync(cluster, user.uid, user.gid)
    writeFileSync(passwordFile, randomBytes(12).toString('hex'), { mode: 0o644 })
    const initdb = ['-D', join(cluster, 'data'), '-U', 'postgres', '-E', 'UTF8', '--locale=C', '--auth=scram-sha-256']
    const made = spawnSync(join(programs, 'initdb'), [...initdb, `--pwfile=${passwordFile}`], {
      ...options,
      encoding: 'utf8',
    })
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
  }
  const port = await freePort()
  const parameters = Object.entries({ ...settings, unix_socket_directories: cluster }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const child = spawn(join(programs, 'postgres'), ['-D', join(cluster, 'data'), '-p', String(port), ...parameters], {
    ...options,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  // A run that is stopped takes its server with it.
  process.once('exit', () => child.kill('SIGINT'))
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
  const url = `postgres://postgres:${readFileSync(passwordFile, 'utf8')}@127.0.0.1:${port}/postgres`
  for (;;) {
    if (child.exitCode !== null) throw new Error('The PostgreSQL server ended.')
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.end()
      break
    } catch {
      await sleep(200)
    }
  }
  const stop = async () => {
    child.kill('SIGINT')
    await once(child, 'exit')
  }
  return { url, stop }
}

/** PostgreSQL: a database a count, owned by a role that is no superuser, so that row-level security holds. */
async function postgresPlaces(folder, given) {
  const { url, stop } = given === 'postgres:' ? await startCluster(folder) : { url: given, stop: async () => undefined }
  const password = new URL(url).password
  const nameOf = (count) => `imagegate_bench_${count}`
  const at = (count, asRole) => {
    const database = new URL(url)
    if (count !== undefined) database.pathname = `/${nameOf(count)}`
    if (asRole) database.username = role
    return database.href
  }
  const run = async (count, sql, parameters) => {
    const client = new pg.Client({ connectionString: at(count, false) })
    await client.connect()
    try {
      return (await client.query(sql, parameters)).rows
    } finally {
      await client.end()
    }
  }
  const roles = await run(undefined, 'SELECT FROM pg_roles WHERE rolname = $1', [role])
  await run(undefined, `${roles.length === 0 ? 'CREATE' : 'ALTER'} ROLE ${role} LOGIN PASSWORD '${password}'`)
  const [{ version }] = await run(undefined, "SELECT current_setting('server_version') AS version")
  return {
    kind: 'postgres',
    about: `PostgreSQL ${version}`,
    place: (count) => ({ kind: 'postgres', url: at(count, true) }),
    exists: async (count) =>
      (await run(undefined, 'SELECT FROM pg_database WHERE datname = $1', [nameOf(count)])).length > 0,
    copy: (from, to) => run(undefined, `CREATE DATABASE ${nameOf(to)} OWNER ${role} TEMPLATE ${nameOf(from)}`),
    create: (count) => run(undefined, `CREATE DATABASE ${nameOf(count)} OWNER ${role} TEMPLATE template0`),
    ask: run,
    /** What autovacuum does in its own time, table by table: it never analyzes a partitioned table as a whole. */
    async settle(count) {
      const tables = await run(
        count,
        "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
      )
      for (const { name } of tables) await run(count, `VACUUM (ANALYZE) ${name}`)
    },
    size: async (count) => Number((await run(count, 'SELECT pg_database_size(current_database()) AS size'))[0].size),
    stop,
  }
}

/** Where the databases are: 'sqlite', 'postgres:' for a cluster of our own, or a superuser's URL. */
export function openPlaces(database, folder) {
  return database === 'sqlite' ? sqlitePlaces(folder) : postgresPlaces(folder, database)
}
