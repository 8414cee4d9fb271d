import { randomBytes } from 'node:crypto'
import t from 'tap'
import { hintedRanges } from '../../../server/collector/disk/hinted-ranges.ts'

const disk = 10 * 1_048_576
const of = (bytes: Buffer) => hintedRanges(async (offset, length) => bytes.subarray(offset, offset + length), disk)

t.test('entries of an MBR and of a GPT hint at partitions, cut to the disk', async (t) => {
  const mbr = Buffer.alloc(4096)
  mbr.writeUInt8(0x83, 446 + 16 + 4)
  mbr.writeUInt32LE(2048, 446 + 16 + 8)
  mbr.writeUInt32LE(4_000_000, 446 + 16 + 12)
  t.same(await of(mbr), [{ start: 1_048_576, length: disk - 1_048_576 }])
  const gpt = Buffer.alloc(4096)
  gpt.write('EFI PART', 512, 'latin1')
  gpt.writeBigUInt64LE(2048n, 1024 + 128 + 32)
  gpt.writeBigUInt64LE(4095n, 1024 + 128 + 40)
  t.same(await of(gpt), [{ start: 1_048_576, length: 1_048_576 }])
})

t.test('no bytes make a hint that lies outside the disk', async (t) => {
  t.same(await hintedRanges(undefined, disk), [])
  t.same(await of(Buffer.alloc(100)), [])
  for (let round = 0; round < 200; round++) {
    const bytes = randomBytes(4096)
    if (round % 2 === 0) bytes.write('EFI PART', 512, 'latin1')
    for (const { start, length } of await of(bytes)) t.ok(start > 0 && length > 0 && start + length <= disk)
  }
  const huge = Buffer.alloc(4096)
  huge.write('EFI PART', 512, 'latin1')
  huge.writeBigUInt64LE(2n ** 63n, 1024 + 32)
  huge.writeBigUInt64LE(2n ** 63n + 8n, 1024 + 40)
  t.same(await of(huge), [])
})
