import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ImagegateError } from '../errors.ts'
import { type Backup, type BackupOrder, backupFile } from './backup-file.ts'
import { setTenant } from './postgres-connection.ts'
import { maintainedOn } from './postgres-maintained.ts'
import { tableNames, tenantsOf } from './status.ts'

/** Where PostgreSQL's programs are looked for; the caller's PATH is not asked. */
const folders = ['/usr/local/bin', '/usr/bin', '/bin']

/** Parameters of a URL that PostgreSQL's programs understand as the driver does. */
const understood = new Set(['user', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'host', 'connect_timeout'])

/** Bytes of a program's complaint that are told. */
const complaint = 2000

/**
 * Dumps a database with pg_dump, in its custom format, as it is at one moment, while others write to it. pg_restore must
 * be able to read the dump. Rejects with FILE_EXISTS, BACKUP_FAILED (with what to run, where pg_dump is not installed),
 * STORE_INCOMPATIBLE or STORE_UNAVAILABLE.
 */
export async function backupPostgres(url: string, order: BackupOrder): Promise<Backup> {
  let snapshot = ''
  const database = await maintainedOn(url, async (connection) => {
    await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await setTenant(connection, '*')
    const { rows } = await connection.query<{ id: string }>('SELECT pg_export_snapshot() AS id')
    snapshot = rows[0]?.id ?? ''
  })
  try {
    const names = await tableNames(database)
    if (!names.includes('migrations')) {
      throw new ImagegateError('STORE_INCOMPATIBLE', 'The database is empty: no migration was applied to it.')
    }
    const tenants = await tenantsOf(database.db, names)
    return await backupFile(order, async (draft) => {
      await dump(url, { draft, snapshot, ...(order.progress && { progress: order.progress }) })
      order.progress?.('examining the dump')
      await examine(draft)
      return tenants
    })
  } finally {
    await database.close()
  }
}

async function dump(url: string, made: { draft: string; snapshot: string; progress?: (doing: string) => void }) {
  const place = new URL(url)
  const password = place.searchParams.get('password') ?? decodeURIComponent(place.password)
  place.password = ''
  for (const name of [...place.searchParams.keys()]) if (!understood.has(name)) place.searchParams.delete(name)
  const options = ['--format=custom', '--no-password', '--enable-row-security', `--snapshot=${made.snapshot}`]
  const timer = setInterval(() => void tell(made.draft, made.progress), 1000)
  try {
    await run('pg_dump', [...options, `--file=${made.draft}`, `--dbname=${place.href}`], {
      // Row-level security holds for the owner too: the dump is of all tenants.
      PGOPTIONS: '-c imagegate.tenant=*',
      ...(password !== '' && { PGPASSWORD: password }),
    })
  } finally {
    clearInterval(timer)
  }
}

async function tell(draft: string, progress?: (doing: string) => void): Promise<void> {
  const size = await stat(draft).then(
    (found) => found.size,
    () => 0,
  )
  progress?.(`${Math.round(size / 2 ** 20)} MiB dumped`)
}

async function examine(draft: string): Promise<void> {
  const listed = await run('pg_restore', ['--list', draft])
  if (!/ TABLE DATA \S+ verdicts/.test(listed)) {
    throw new ImagegateError('BACKUP_FAILED', `${draft} holds no verdicts: the role may not read them.`)
  }
}

/** Runs one of PostgreSQL's programs to its end and gives its output; no shell, and the environment of nobody else. */
async function run(
  program: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const file = folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
  if (file === undefined) {
    throw new ImagegateError(
      'BACKUP_FAILED',
      `${program} is not installed here: install the Debian package postgresql-client, or run on another machine ` +
        "PGOPTIONS='-c imagegate.tenant=*' pg_dump --format=custom --enable-row-security --file=FILE --dbname=URL",
    )
  }
  const child = spawn(file, parameters, {
    cwd: '/',
    env: { PATH: folders.join(':'), HOME: homedir(), LC_ALL: 'C.UTF-8', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { out: '', err: '' }
  child.stdout.on('data', (part: Buffer) => {
    said.out += part.toString()
  })
  child.stderr.on('data', (part: Buffer) => {
    said.err = `${said.err}${part.toString()}`.slice(-complaint)
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code === 0) return said.out
  throw new ImagegateError('BACKUP_FAILED', `${program} ended with ${code}: ${said.err.trim()}`)
}
