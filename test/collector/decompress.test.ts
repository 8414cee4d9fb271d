import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import t from 'tap'
import { decompressIn } from '../../server/collector/collect-decompress.ts'
import type { Compression } from '../../server/collector/linux/input.ts'
import { findTool } from '../../server/collector/tools/find.ts'
import { openToolbox } from '../../server/collector/tools/toolbox.ts'

const tools = await openToolbox({ signal: AbortSignal.timeout(60_000) })
t.teardown(() => tools.close())

const content = Buffer.concat([randomBytes(300_000), Buffer.alloc(3_000_000, 'initramfs')])
const packers = {
  zstd: ['zstd', '-q', '-c'],
  xz: ['xz', '-c'],
  lzma: ['xz', '-c', '--format=lzma'],
  bzip2: ['bzip2', '-c'],
  lzo: ['lzop', '-c'],
} as const satisfies Record<Compression, readonly string[]>
const compressions: readonly Compression[] = ['zstd', 'xz', 'lzma', 'bzip2', 'lzo']

async function gathered(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

for (const compression of compressions) {
  const [program, ...args] = packers[compression]
  const skip = (await findTool(program)) === undefined ? `${program} is not installed` : false
  t.test(`${compression} is undone, and nothing of it stays`, { skip }, async (t) => {
    const packed = execFileSync(program, args, { input: content, maxBuffer: 1 << 24 })
    const decompress = decompressIn(tools)
    t.ok((await gathered(decompress(compression, [packed]))).equals(content))
    for await (const chunk of decompress(compression, [packed])) {
      t.ok(chunk.length > 0)
      break
    }
    t.same(
      readdirSync(tools.folder).filter((name) => name.startsWith('unpacked')),
      [],
    )
    await t.rejects(gathered(decompress(compression, [packed.subarray(0, packed.length / 2)])), { code: 'damaged' })
    await t.rejects(gathered(decompress(compression, [randomBytes(5000)])), { code: 'damaged' })
  })
}
