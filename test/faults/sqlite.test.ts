import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { noStrace } from '../audit/child.ts'
import { NotStarted, type ServeOptions, type Service, serve } from '../support/service.ts'
import { fill, noMount, root, run, smallDisk, works } from './disk.ts'
import { expectWhole, Subject } from './fault.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const nobody = 65534

const settings = (file: string) => ({ IMAGEGATE_DATABASE_URL: `file:${file}` })

async function startOn(t: Test, file: string, before?: Subject): Promise<{ service: Service; subject: Subject }> {
  const service = await serve(settings(file))
  return { service, subject: new Subject(t, service, before) }
}

async function refusesToStart(t: Test, environment: Record<string, string>, why: RegExp, options?: ServeOptions) {
  const error = await serve(environment, options).catch((error: unknown) => error)
  if (!(error instanceof NotStarted)) throw new Error(`it started, ${why} or not`)
  t.equal(error.exitCode, 3, `it cannot start: ${why}`)
  t.match(error.said, why)
}

t.test('a full disk is answered with 503 and not ready until there is room', { skip: noMount() }, async (t) => {
  const disk = smallDisk(t, 32)
  const file = join(disk, 'imagegate.db')
  const { service, subject } = await startOn(t, file)
  for (let index = 0; index < 20; index += 1) t.equal((await subject.post()).status, 201)
  const filler = fill(disk)
  // What the log and the database have already taken may still hold some.
  let refused = 0
  for (let index = 0; index < 2000 && refused < 3; index += 1) if ((await subject.post()).status === 503) refused += 1
  t.equal(refused, 3, 'there is no room')
  for (let index = 0; index < 3; index += 1) {
    await sleep(300)
    // One that fits proves no room for verdicts.
    await subject.expectReadsKept(t)
    await subject.expectDown(t)
  }
  rmSync(filler)
  await subject.expectRecovery(t)
  await subject.expectExact(t)
  t.same(await service.end('SIGTERM'), [0, null])
  expectWhole(t, file)
})

t.test('a disk that fills under load loses and halves nothing', { skip: noMount() }, async (t) => {
  const disk = smallDisk(t, 8)
  const file = join(disk, 'imagegate.db')
  const { service, subject } = await startOn(t, file)
  const statuses = new Set<number>()
  const client = async () => {
    while (!statuses.has(503)) statuses.add((await subject.post()).status)
  }
  await Promise.all(Array.from({ length: 32 }, client))
  t.same([...statuses].sort(), [201, 503])
  // What did not fit was a batch of many; one may still, or as little as a check of readiness.
  fill(disk)
  let refused = 0
  for (let index = 0; index < 2000 && refused < 3; index += 1) {
    refused = (await subject.post()).status === 503 ? refused + 1 : 0
  }
  t.equal(refused, 3, 'there is no room')
  await subject.expectDown(t)
  run('mount', '-o', 'remount,size=64m', disk)
  await subject.expectRecovery(t)
  await subject.expectExact(t)
  t.same(await service.end('SIGTERM'), [0, null])
  expectWhole(t, file)
})

t.test('a database that another process locks is answered with 503 in bounded time', async (t) => {
  const file = join(t.testdir(), 'imagegate.db')
  const { service, subject } = await startOn(t, file)
  t.equal((await subject.post()).status, 201)
  // A process of its own, so that the lock is one between processes.
  const script = `const db = new (require('better-sqlite3'))(process.argv[1]); db.exec('BEGIN EXCLUSIVE'); console.log('locked'); setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ['-e', script, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: join(main, '../..'),
  })
  t.teardown(() => holder.kill('SIGKILL'))
  await once(holder.stdout, 'data')
  await subject.expectDown(t)
  await subject.expectSilent(t)
  const started = performance.now()
  const many = await Promise.all(Array.from({ length: 64 }, () => subject.post()))
  t.same([...new Set(many.map(({ status }) => status))], [503])
  t.ok(performance.now() - started < 12_000, 'nobody waits for the locks of those before')

  await refusesToStart(t, settings(file), /SQLITE_BUSY/)
  holder.kill('SIGKILL')
  await subject.expectRecovery(t)
  await subject.expectExact(t)
  t.same(await service.end('SIGTERM'), [0, null])
  expectWhole(t, file)
})

/** Why a file cannot be made immutable here; false when it can. */
function noImmutable(t: Test): string | false {
  if (!root) return 'only root can make a file immutable'
  const probe = join(t.testdirName, 'immutable-probe')
  mkdirSync(t.testdirName, { recursive: true })
  closeSync(openSync(probe, 'w'))
  if (!works('chattr', '+i', probe)) return 'this file system has no immutable files'
  run('chattr', '-i', probe)
  return false
}

t.test(
  'a database that turns read-only is answered with 503 until it is writable',
  { skip: noImmutable(t) },
  async (t) => {
    const file = join(t.testdir(), 'imagegate.db')
    const { service, subject } = await startOn(t, file)
    t.equal((await subject.post()).status, 201)
    // Even those who have it open, and root, cannot write to an immutable file.
    const files = [file, `${file}-wal`]
    const writable = () => run('chattr', '-i', ...files)
    t.teardown(() => works('chattr', '-i', ...files))
    run('chattr', '+i', ...files)
    await sleep(300)
    await subject.expectDown(t)
    await subject.expectSilent(t)
    writable()
    await subject.expectRecovery(t)
    await subject.expectExact(t)
    t.same(await service.end('SIGTERM'), [0, null])
    expectWhole(t, file)
  },
)

/** Why the service cannot run as somebody else; false when it can. */
function noOtherUser(): string | false {
  if (!root) return 'only root can start a service as another user'
  return spawnSync(process.execPath, [main, '--version'], { uid: nobody, gid: nobody }).status === 0
    ? false
    : 'an ordinary user cannot read this checkout'
}

t.test(
  'as an ordinary user the service refuses what it cannot write, and says so',
  { skip: noOtherUser() },
  async (t) => {
    const directory = t.testdir({ data: {} })
    const data = join(directory, 'data')
    const file = join(data, 'imagegate.db')
    const options: ServeOptions = { user: nobody }
    const own = (path: string, mode: number) => {
      chownSync(path, nobody, nobody)
      chmodSync(path, mode)
    }
    const refuse = (what: RegExp) => refusesToStart(t, settings(file), what, options)
    own(data, 0o500)
    // A directory that takes no file.
    await refuse(/EACCES/)
    own(data, 0o700)
    const first = await serve(settings(file), options)
    const subject = new Subject(t, first)
    t.equal((await subject.post()).status, 201)
    t.same(await first.end('SIGTERM'), [0, null], first.log.join('\n'))
    own(file, 0o400)
    // A database that cannot be written.
    await refuse(/SQLITE_READONLY/)
    own(file, 0o000)
    // A database that cannot be read.
    await refuse(/SQLITE_CANTOPEN/)
    own(file, 0o600)
    own(data, 0o500)
    // A directory that takes no log beside the database.
    await refuse(/SQLITE_(READONLY|CANTOPEN)/)
    own(data, 0o700)
    const { service, subject: later } = await startOn(t, file)
    t.same(await later.recorded(), subject.acknowledged)
    await service.end('SIGTERM')
  },
)

/** Overwrites the first page of a table or index. */
function damage(file: string, name: string): void {
  const db = new Database(file, { readonly: true })
  const size = Number(db.pragma('page_size', { simple: true }))
  const root = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(name)
  db.close()
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.alloc(size, 0xa5), 0, size, (Number(root) - 1) * size)
  closeSync(descriptor)
}

t.test(
  'a page overwritten while it runs stops writing, and a start on the damaged file does not hide it',
  async (t) => {
    const file = join(t.testdir(), 'imagegate.db')
    const first = await startOn(t, file)
    for (let index = 0; index < 50; index += 1) t.equal((await first.subject.post()).status, 201)
    t.same(await first.service.end('SIGTERM'), [0, null])
    const good = readFileSync(file)

    const { service, subject } = await startOn(t, file, first.subject)
    // Not a page that the writer has read at its start and keeps.
    damage(file, 'findings')
    await subject.expectDown(t)
    await sleep(300)
    await subject.expectDown(t)
    t.ok(
      service.log.some((line) => line.includes('SQLITE_CORRUPT')),
      'the log names it',
    )
    await service.end('SIGTERM')

    const again = await startOn(t, file, subject)
    await again.subject.expectDown(t)
    await sleep(1100)
    await again.subject.expectDown(t)
    await again.service.end('SIGTERM')

    for (const ending of ['', '-wal', '-shm']) rmSync(`${file}${ending}`, { force: true })
    const descriptor = openSync(file, 'w', 0o600)
    writeSync(descriptor, good)
    closeSync(descriptor)
    const restored = await startOn(t, file, first.subject)
    await restored.subject.expectRecovery(t)
    t.same((await restored.subject.recorded()).slice(0, 50), first.subject.acknowledged, 'restored, all is there')
    await restored.service.end('SIGTERM')
  },
)

t.test('a file that is no database, or whose first page is gone, is refused at the start', async (t) => {
  const file = join(t.testdir(), 'imagegate.db')
  const { service, subject } = await startOn(t, file)
  t.equal((await subject.post()).status, 201)
  await service.end('SIGTERM')
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.alloc(4096, 0xa5), 0, 4096, 0)
  closeSync(descriptor)
  await refusesToStart(t, settings(file), /not a SQLite database/)
})

t.test('a database that is removed or replaced while it runs takes no verdict into nowhere', async (t) => {
  const file = join(t.testdir(), 'imagegate.db')
  const { subject } = await startOn(t, file)
  t.equal((await subject.post()).status, 201)
  const files = ['', '-wal', '-shm'].map((ending) => `${file}${ending}`)
  for (const one of files) run('mv', one, `${one}.away`)
  await subject.expectDown(t)
  for (const one of files) run('mv', `${one}.away`, one)
  await subject.expectRecovery(t)
  await subject.expectExact(t)
})

t.test('an fsync that fails is answered with 503 until it works again', { skip: noStrace() }, async (t) => {
  const file = join(t.testdir(), 'imagegate.db')
  const { service, subject } = await startOn(t, file)
  t.equal((await subject.post()).status, 201)
  const tracer = spawn(
    'strace',
    [
      '-f',
      '-o',
      '/dev/null',
      '-P',
      `${file}-wal`,
      '-e',
      'inject=fsync,fdatasync:error=EIO',
      '-p',
      String(service.child.pid),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  t.teardown(() => tracer.kill('SIGKILL'))
  await once(tracer.stderr, 'data')
  await subject.expectDown(t)
  const gone = once(tracer, 'exit')
  tracer.kill('SIGINT')
  await gone
  await subject.expectRecovery(t)
  await subject.expectExact(t)
  t.same(await service.end('SIGTERM'), [0, null])
  expectWhole(t, file)
})
