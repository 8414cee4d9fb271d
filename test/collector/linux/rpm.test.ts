import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Database from 'better-sqlite3'
import t from 'tap'
import { GuestError } from '../../../server/collector/guest.ts'
import { packagedFiles } from '../../../server/collector/linux/packages.ts'
import { parseRpmDatabase } from '../../../server/collector/linux/rpm.ts'
import { centos7 } from './redhat.ts'
import { collect, type Tree } from './support.ts'

type Value = { readonly type: number; readonly count: number; readonly bytes: Buffer }

const strings = (...list: string[]): Value => ({
  type: 8,
  count: list.length,
  bytes: Buffer.from(list.map((one) => `${one}\0`).join('')),
})
const text = (one: string): Value => ({ type: 6, count: 1, bytes: Buffer.from(`${one}\0`) })
const numbers = (type: 3 | 4, ...list: number[]): Value => {
  const width = type === 3 ? 2 : 4
  const bytes = Buffer.alloc(list.length * width)
  for (const [index, one] of list.entries()) bytes.writeUIntBE(one, index * width, width)
  return { type, count: list.length, bytes }
}

/** A header as an rpm database holds it. */
function header(values: Readonly<Record<number, Value>>): Buffer {
  const entries = Object.entries(values)
  const index = Buffer.alloc(entries.length * 16)
  const data: Buffer[] = []
  let offset = 0
  for (const [at, [tag, { type, count, bytes }]] of entries.entries()) {
    // Numbers stand on a multiple of their width.
    const padding = (4 - (offset % 4)) % 4
    data.push(Buffer.alloc(padding), bytes)
    offset += padding
    for (const [word, value] of [Number(tag), type, offset, count].entries())
      index.writeUInt32BE(value, at * 16 + word * 4)
    offset += bytes.length
  }
  const head = Buffer.alloc(8)
  head.writeUInt32BE(entries.length, 0)
  head.writeUInt32BE(offset, 4)
  return Buffer.concat([head, index, ...data])
}

const md5 = (content: string) => createHash('md5').update(content).digest('hex')

const cloudInit = header({
  1000: text('cloud-init'),
  1001: text('0.7.9'),
  1002: text('24.el7.centos'),
  1003: numbers(4, 2),
})
const coreutils = header({
  1000: text('coreutils'),
  1001: text('8.22'),
  1002: text('24.el7'),
  1030: numbers(3, 0o100755, 0o100644, 0o120777, 0o100644, 0o100755),
  1035: strings(md5('the packaged ls'), md5('configuration'), '', md5('ghost'), md5('far')),
  1037: numbers(4, 0, 1, 0, 1 << 6, 0),
  1116: numbers(4, 0, 0, 0, 0, 1),
  1117: strings('ls', 'configured', 'link', 'ghost', 'far'),
  1118: strings('/usr/bin/', '/usr/share/doc/'),
})
/** Larger than any page, so that it lies in a chain of them. */
const large = header({ 1000: text('large'), 1001: text('1'), 9999: text('x'.repeat(200_000)) })
const many = Array.from({ length: 600 }, (_, index) => header({ 1000: text(`package-${index}`), 1001: text('1') }))

function sqlite(place: string, keepLog: boolean): { bytes: Buffer; log?: Buffer } {
  const file = join(place, 'rpmdb.sqlite')
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.exec(
    'CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL); CREATE TABLE Name (key TEXT)',
  )
  const insert = db.prepare('INSERT INTO Packages (blob) VALUES (?)')
  for (const one of [...many, large]) insert.run(one)
  db.pragma('wal_checkpoint(TRUNCATE)')
  for (const one of [cloudInit, coreutils]) insert.run(one)
  if (!keepLog) db.pragma('wal_checkpoint(TRUNCATE)')
  const read = { bytes: readFileSync(file), log: readFileSync(`${file}-wal`) }
  db.close()
  return keepLog ? read : { bytes: read.bytes }
}

function ndb(blobs: readonly Buffer[]): Buffer {
  const pages = Math.ceil((blobs.length + 2) / 256)
  const head = Buffer.alloc(pages * 4096)
  head.write('RpmP', 0, 'latin1')
  head.writeUInt32LE(pages, 12)
  for (let at = 32; at < head.length; at += 16) head.write('Slot', at, 'latin1')
  const parts: Buffer[] = [head]
  let block = head.length / 16
  for (const [index, blob] of blobs.entries()) {
    const start = Buffer.alloc(16)
    start.write('BlbS', 0, 'latin1')
    start.writeUInt32LE(index + 1, 4)
    start.writeUInt32LE(blob.length, 12)
    const whole = Buffer.concat([start, blob, Buffer.alloc(12)])
    const padded = Buffer.concat([whole, Buffer.alloc((16 - (whole.length % 16)) % 16)])
    const slot = (index + 2) * 16
    head.writeUInt32LE(index + 1, slot + 4)
    head.writeUInt32LE(block, slot + 8)
    head.writeUInt32LE(padded.length / 16, slot + 12)
    parts.push(padded)
    block += padded.length / 16
  }
  return Buffer.concat(parts)
}

/** A Berkeley DB hash: one page of pairs for each value, and the values in chains of pages. */
function berkeley(blobs: readonly Buffer[]): Buffer {
  const size = 4096
  const pages: Buffer[] = [Buffer.alloc(size)]
  const page = (type: number) => {
    const fresh = Buffer.alloc(size)
    fresh[25] = type
    pages.push(fresh)
    return fresh
  }
  pages[0]?.writeUInt32LE(0x00061561, 12)
  pages[0]?.writeUInt32LE(size, 20)
  if (pages[0]) pages[0][25] = 8
  for (const [index, blob] of blobs.entries()) {
    const hash = page(13)
    hash.writeUInt16LE(2, 20)
    hash.writeUInt16LE(size - 5, 26)
    hash.writeUInt16LE(size - 17, 28)
    hash[size - 5] = 1
    hash.writeUInt32LE(index + 1, size - 4)
    hash[size - 17] = 3
    hash.writeUInt32LE(pages.length, size - 13)
    hash.writeUInt32LE(blob.length, size - 9)
    for (let at = 0; at < blob.length; at += size - 26) {
      const part = blob.subarray(at, at + size - 26)
      const overflow = page(7)
      overflow.writeUInt16LE(part.length, 22)
      if (at + part.length < blob.length) overflow.writeUInt32LE(pages.length, 16)
      part.copy(overflow, 26)
    }
  }
  return Buffer.concat(pages)
}

const all = [...many, large, cloudInit, coreutils]
const namesOf = (bytes: Buffer, log?: Buffer) => parseRpmDatabase(bytes, log).map((one) => one.package()?.name ?? '')

t.test('every form of the database gives the same packages', async (t) => {
  const expected = [...many.map((_, index) => `package-${index}`), 'large', 'cloud-init', 'coreutils'].sort()
  const { bytes } = sqlite(t.testdir(), false)
  t.same(namesOf(bytes).sort(), expected, 'SQLite')
  t.same(namesOf(ndb(all)).sort(), expected, 'ndb')
  t.same(namesOf(berkeley(all)).sort(), expected, 'Berkeley DB')
})

t.test('a write-ahead log that was not written back counts', async (t) => {
  const { bytes, log } = sqlite(t.testdir(), true)
  t.notOk(namesOf(bytes).includes('cloud-init'))
  t.ok(namesOf(bytes, log).includes('cloud-init'))
  const half = log?.subarray(0, log.length - 4096)
  t.notOk(namesOf(bytes, half).includes('coreutils'), 'a transaction that is not whole does not')
})

t.test('a package tells its version and the files that must not change', async (t) => {
  const [first, second] = parseRpmDatabase(ndb([cloudInit, coreutils]))
  t.same(first?.package(), { name: 'cloud-init', version: '2:0.7.9-24.el7.centos' })
  t.same(
    [...(second?.packaged() ?? [])],
    [
      { path: '/usr/bin/ls', algorithm: 'md5', digest: md5('the packaged ls') },
      { path: '/usr/share/doc/far', algorithm: 'md5', digest: md5('far') },
    ],
  )
})

t.test('a guest of rpm is compared with its database', async (t) => {
  const tree = (ls: string): Tree => ({
    ...centos7,
    '/usr/bin/cloud-init': 'program',
    '/usr/bin/ls': ls,
    '/var/lib/rpm/Packages': berkeley([cloudInit, coreutils]),
  })
  const wanted = (content: string) => collect(t, tree(content), {}, (input) => ({ ...input, verifySystemFiles: true }))
  const good = await wanted('the packaged ls')
  t.same(good.files?.systemFiles, { baseline: 'rpm', verification: 'match', modified: [] })
  t.same(good.agents?.cloudInit, {
    installed: true,
    version: '0.7.9',
    versionText: '0.7.9-24.el7.centos',
    build: 'native',
  })
  const patched = await wanted('patched')
  t.same(patched.files?.systemFiles?.modified, [{ path: '/usr/bin/ls', change: 'content' }])
})

t.test('a damaged database ends with a reason, never with a crash or a circle', async (t) => {
  const { bytes } = sqlite(t.testdir(), false)
  let state = 20_201_230
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % below
  }
  for (const whole of [bytes, ndb(all.slice(590)), berkeley(all.slice(590))]) {
    for (let round = 0; round < 300; round++) {
      const mutant = Buffer.from(whole.subarray(0, round % 3 === 0 ? random(whole.length) : whole.length))
      for (let change = 0; change < 8 && mutant.length > 0; change++) {
        const near = random(4) > 0 ? Math.min(mutant.length, 8192) : mutant.length
        mutant[random(near)] = random(256)
      }
      try {
        parseRpmDatabase(mutant)
      } catch (error) {
        if (!(error instanceof GuestError)) throw error
      }
    }
  }
  const circle = berkeley([large])
  circle.writeUInt32LE(2, 2 * 4096 + 16)
  t.throws(() => parseRpmDatabase(circle.subarray(0, 4 * 4096)), GuestError)
})

t.test('packages that lie over one another are refused before they are copied', (t) => {
  const over = { code: 'damaged', message: /over one another/ }
  const chains = berkeley([large, large])
  // The second package's chain begins where the first one's does: just behind the page that names it.
  const second = (2 + Math.ceil(large.length / (4096 - 26))) * 4096
  t.equal(chains[second + 25], 13)
  chains.writeUInt32LE(2, second + 4096 - 13)
  t.doesNotThrow(() => parseRpmDatabase(chains), 'what one chain leaves unused is enough')
  const many = Buffer.concat([chains, ...Array<Buffer>(60).fill(chains.subarray(second, second + 4096))])
  t.throws(() => parseRpmDatabase(many), over, 'Berkeley DB')

  const slots = ndb([large, ...Array<Buffer>(60).fill(cloudInit)])
  for (let slot = 3; slot < 63; slot++) slots.copy(slots, slot * 16, 32, 48)
  t.throws(() => parseRpmDatabase(slots), over, 'ndb')

  const { bytes } = sqlite(t.testdir(), false)
  // Every other cell of the large package's page is made to lead to it.
  const leaf = bytes.indexOf('large\0') & ~4095
  t.equal(bytes[leaf], 13)
  const cells = Array.from({ length: bytes.readUInt16BE(leaf + 3) }, (_, cell) => leaf + 8 + cell * 2)
  const at = cells.find((cell) => bytes[leaf + bytes.readUInt16BE(cell)] === 0x8c) ?? 0
  for (const cell of cells) bytes.copy(bytes, cell, at, at + 2)
  t.throws(() => parseRpmDatabase(bytes), over, 'SQLite')
  t.end()
})

t.test('the next package after the most that are read is not looked at', (t) => {
  const short = header({ 1000: text('a'), 1001: text('1') })
  const damaged = Buffer.alloc(64, 255)
  t.throws(() => parseRpmDatabase(ndb([short, damaged])), { code: 'damaged' })
  t.throws(() => parseRpmDatabase(ndb([...Array<Buffer>(50_000).fill(short), damaged])), { code: 'too-large' })
  t.end()
})

t.test('tags that nobody asks for take no memory', (t) => {
  const index = Buffer.alloc(8 + 65_536 * 16)
  index.writeUInt32BE(65_536)
  for (let tag = 0; tag < 65_536; tag++) index.writeUInt32BE(100_000 + tag, 8 + tag * 16)
  const database = ndb(Array<Buffer>(16).fill(index))
  setFlagsFromString('--expose-gc')
  const collected = () => {
    runInNewContext('gc()')
    return process.memoryUsage().heapUsed
  }
  const before = collected()
  const headers = parseRpmDatabase(database)
  const grown = collected() - before
  t.equal(headers.length, 16)
  t.ok(grown < 20e6, `${grown} bytes`)
  t.end()
})

t.test('a few bytes that name many long paths are refused', (t) => {
  const files = (directory: string, count: number) =>
    header({
      1000: text('a'),
      1001: text('1'),
      1030: numbers(3, ...Array<number>(count).fill(0o100644)),
      1035: strings(...Array<string>(count).fill('0')),
      1116: numbers(4, ...Array<number>(count).fill(0)),
      1117: strings(...Array<string>(count).fill('b')),
      1118: strings(directory),
    })
  const listed = (bytes: Buffer) => packagedFiles(parseRpmDatabase(ndb([bytes])))
  t.equal(listed(files('/bin/', 200)).length, 200)
  t.throws(() => listed(files(`/${'d'.repeat(1_000_000)}/`, 200)), { code: 'too-large' })
  t.throws(() => parseRpmDatabase(ndb([header({ 1000: text('n'.repeat(300)), 1001: text('1') })]))[0]?.package(), {
    code: 'damaged',
  })
  t.end()
})
