import { randomBytes } from 'node:crypto'
import { constants, gzipSync } from 'node:zlib'
import t from 'tap'
import type { Pieces } from '../../../server/collector/guest.ts'
import { gunzipped } from '../../../server/collector/linux/gunzip.ts'

const plain = Buffer.concat([randomBytes(600_000), Buffer.alloc(900_000, 'names '), randomBytes(100_000)])
const packed = gzipSync(plain)
const other = gzipSync(Buffer.from('another member'), { level: constants.Z_BEST_COMPRESSION })

function* cut(bytes: Buffer, size: number): Generator<Buffer, void, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function undone(pieces: Pieces): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const piece of gunzipped(pieces)) all.push(Buffer.from(piece))
  return Buffer.concat(all)
}

t.test('whatever pieces it comes in, it is undone to the same bytes', async (t) => {
  for (const size of [1, 1000, 262_144, packed.length]) {
    const short = size === 1 ? other : packed
    t.ok((await undone(cut(short, size))).equals(size === 1 ? Buffer.from('another member') : plain), `${size}`)
  }
  const members = Buffer.concat([packed, other])
  const both = Buffer.concat([plain, Buffer.from('another member')])
  for (const size of [packed.length, 10_000, members.length])
    t.ok((await undone(cut(members, size))).equals(both), `two members, ${size}`)
  t.ok((await undone([packed, Buffer.alloc(5000)])).equals(plain), 'zeros behind it are no damage')
  t.ok((await undone([Buffer.concat([packed, Buffer.alloc(5000)]), randomBytes(9)])).equals(plain), 'nor what follows')
})

t.test('one memory holds all that it gives', async (t) => {
  const memories = new Set<ArrayBufferLike>()
  for await (const piece of gunzipped([packed])) memories.add(piece.buffer)
  t.equal(memories.size, 1)
})

t.test('damage is an error of zlib, however late it is seen', async (t) => {
  const wrong = Buffer.from(packed)
  wrong.writeUInt32LE((wrong.readUInt32LE(wrong.length - 8) ^ 1) >>> 0, wrong.length - 8)
  await t.rejects(undone(cut(wrong, 100_000)), { code: 'Z_DATA_ERROR' }, 'checksum')
  await t.rejects(undone(cut(packed.subarray(0, -1), 100_000)), { code: 'Z_BUF_ERROR' }, 'cut off')
  await t.rejects(undone([]), { code: 'Z_BUF_ERROR' }, 'nothing at all')
  await t.rejects(undone([randomBytes(1000).fill(1, 0, 2)]), { code: 'Z_DATA_ERROR' }, 'no gzip')
  await t.rejects(undone([packed, other.subarray(0, 12)]), { code: 'Z_BUF_ERROR' }, 'a second member that is cut off')
})

t.test('who needs no more of it may leave', async (t) => {
  for await (const piece of gunzipped(cut(packed, 1000))) {
    t.ok(plain.subarray(0, piece.length).equals(piece))
    break
  }
})
