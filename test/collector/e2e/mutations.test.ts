import { createHash } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { collectImage } from '../../../server/collector/collect.ts'
import { ImagegateError } from '../../../server/errors.ts'
import { judge } from '../../../server/evaluation/judge.ts'
import { parseFacts } from '../../../server/facts/parse.ts'
import { loadPolicies } from '../../../server/policy/load.ts'
import { top } from '../../cli/support.ts'
import { count, random, seed } from '../../support/long.ts'
import { convert } from '../images/containers.ts'
import { mebibyte } from '../images/disk.ts'
import { craftedDisk } from '../images/linux-disks.ts'
import { centosFiles } from '../images/linux-images.ts'
import { needs } from '../images/run.ts'
import { windowsPrograms } from '../images/windows-images.ts'
import { buildWindowsImage } from '../windows/image.ts'
import { workFolder } from './check.ts'
import { noCrafted } from './prepared.ts'

const total = count(10_000)
const jobs = 2
const limit = 20
/** A run over its limit by more than this hangs. Unit: milliseconds. */
const longest = (limit + 15) * 1000

/** A stretch of an image in which bytes are changed. */
type Stretch = readonly [start: number, length: number]

/** An image, and where it is worth changing. */
interface Source {
  readonly name: string
  readonly bytes: Buffer
  readonly stretches: readonly Stretch[]
}

const table: Stretch = [0, 34 * 512]

async function sources(folder: string): Promise<Source[]> {
  const raw = join(folder, 'linux.raw')
  await craftedDisk(raw, await centosFiles('centos7', undefined), 16)
  const made = async (name: 'qcow2' | 'vhd-dynamic' | 'vhd-fixed') => {
    await convert(raw, join(folder, name), name)
    return readFile(join(folder, name))
  }
  const linux = await readFile(raw)
  const [qcow2, dynamic, fixed] = [await made('qcow2'), await made('vhd-dynamic'), await made('vhd-fixed')]
  const footer: Stretch = [fixed.length - 512, 512]
  return [
    {
      name: 'superblock',
      bytes: linux,
      stretches: [
        [mebibyte + 1024, 1024],
        [mebibyte + 4096, 4096],
      ],
    },
    { name: 'inodes', bytes: linux, stretches: [[mebibyte, 2 * mebibyte]] },
    { name: 'partition-table', bytes: linux, stretches: [table] },
    {
      name: 'qcow2',
      bytes: qcow2,
      stretches: [
        [0, 512],
        [65_536, 512],
        [131_072, 512],
        [196_608, 4096],
      ],
    },
    {
      name: 'vhd-dynamic',
      bytes: dynamic,
      stretches: [
        [0, 2048],
        [dynamic.length - 512, 512],
      ],
    },
    { name: 'vhd-fixed', bytes: fixed, stretches: [footer, table] },
  ]
}

async function windowsSources(folder: string): Promise<Source[]> {
  const disk = join(folder, 'windows.raw')
  await buildWindowsImage(disk, { partitions: [{ guest: {}, size: 16 }] })
  const bytes = await readFile(disk)
  const hives: Stretch[] = []
  for (let at = bytes.indexOf('regf', mebibyte, 'latin1'); at > 0; at = bytes.indexOf('regf', at + 1, 'latin1'))
    hives.push([at, 12_288])
  return [
    { name: 'hives', bytes, stretches: hives },
    {
      name: 'ntfs',
      bytes,
      stretches: [
        [mebibyte, 512],
        [mebibyte + 16_384, 65_536],
      ],
    },
  ]
}

const interesting = [0, 1, 0x7f, 0x80, 0xff]

/** A copy with one to eight places changed, each by one of four ways. */
function mutated({ bytes, stretches }: Source, next: () => number): Buffer {
  const copy = Buffer.from(bytes)
  const below = (bound: number) => Math.floor(next() * bound)
  const places = 1 + below(8)
  for (let place = 0; place < places; place++) {
    const [start, length] = stretches[below(stretches.length)] ?? [0, 512]
    const at = Math.min(start + below(length), copy.length - 8)
    const way = below(4)
    if (way === 0) copy.writeUInt8(copy.readUInt8(at) ^ (1 << below(8)), at)
    if (way === 1) copy.writeUInt8(interesting[below(interesting.length)] ?? 0, at)
    if (way === 2) copy.fill(interesting[below(interesting.length)] ?? 0, at, at + 4)
    if (way === 3) copy.copy(copy, at, start, start + Math.min(16, copy.length - at))
  }
  return copy
}

const skip = noCrafted || needs(windowsPrograms)
const timeout = 3 * 60 * 60 * 1000

t.test(`${total} mutated images crash nothing, hang nothing and write nothing`, { skip, timeout }, async (t) => {
  t.comment(`IMAGEGATE_SEED=${seed}`)
  const folder = await workFolder(t)
  const policies = await loadPolicies(join(top, 'policies'), { released: false })
  const all = [...(await sources(folder)), ...(await windowsSources(folder))]
  const problems: string[] = []
  const outcomes = new Map<string, number>()

  const one = async (index: number): Promise<string> => {
    const source = all[index % all.length]
    if (source === undefined) return 'none'
    const copy = mutated(source, random(seed + index))
    const path = join(folder, `mutated-${index}`)
    await writeFile(path, copy, { mode: 0o644 })
    const digest = createHash('sha256').update(copy).digest('hex')
    const started = Date.now()
    try {
      const document = await collectImage(path, { seconds: limit })
      const { verdict } = judge(policies, parseFacts(Buffer.from(JSON.stringify(document))), {}, new Date())
      return verdict.outcome
    } catch (error) {
      if (error instanceof ImagegateError && error.code === 'FILE_UNREADABLE') return error.code
      problems.push(`${index} (${source.name}): ${error instanceof Error ? error.stack : String(error)}`)
      return 'crash'
    } finally {
      if (Date.now() - started > longest) problems.push(`${index} (${source.name}): hangs`)
      const after = createHash('sha256')
        .update(await readFile(path))
        .digest('hex')
      if (after !== digest) problems.push(`${index} (${source.name}): was written to`)
      await rm(path)
    }
  }

  let index = 0
  const worker = async () => {
    while (index < total) {
      const own = index
      index += 1
      const outcome = await one(own)
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  t.comment(JSON.stringify(Object.fromEntries(outcomes)))
  t.same(problems, [])
  t.equal(
    [...outcomes.values()].reduce((sum, number) => sum + number, 0),
    total,
  )
})
