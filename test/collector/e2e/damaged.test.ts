import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { imagegate } from '../../cli/support.ts'
import { random, seed } from '../../support/long.ts'
import { convert } from '../images/containers.ts'
import { debugfs } from '../images/debugfs.ts'
import { copyFile, emptyFile, mebibyte, patch } from '../images/disk.ts'
import { craftedDisk, rootAt } from '../images/linux-disks.ts'
import { centosFiles } from '../images/linux-images.ts'
import { needs } from '../images/run.ts'
import { windowsPrograms } from '../images/windows-images.ts'
import { buildWindowsImage } from '../windows/image.ts'
import { sha256, workFolder } from './check.ts'
import { noCrafted } from './prepared.ts'

/** The limit that is given, and the longest that one image may take with all that stands around reading. Unit: seconds. */
const limit = 20
const longest = 30

/** Checks damaged images at once: each is answered, in time, with a clear message, and stays as it was. */
async function ends(t: Test, images: readonly string[]): Promise<void> {
  for (const image of images) {
    const before = await sha256(image)
    const started = Date.now()
    const ran = await imagegate(['check', '--format', 'json', '--time-limit', String(limit), image])
    const name = image.slice(image.lastIndexOf('/') + 1)
    t.ok(Date.now() - started < longest * 1000, `${name} ends in time`)
    t.ok([1, 2, 3].includes(ran.code), `${name} is not ready`)
    const said = JSON.parse(ran.stdout)
    const clear =
      ran.code === 3
        ? said.detail !== undefined || said.problem !== undefined || /[A-Z_]+: /.test(ran.stderr)
        : said.findings.some(({ message }: { message?: string }) => (message ?? '').length > 20)
    t.ok(clear, `${name} says why`)
    t.notMatch(ran.stdout + ran.stderr, /INTERNAL|\n {4}at /, `${name}: nothing crashed`)
    t.equal(await sha256(image), before, `${name} is as it was`)
  }
}

async function containers(folder: string): Promise<Record<string, string>> {
  const raw = join(folder, 'whole.raw')
  await craftedDisk(raw, await centosFiles('centos7', undefined), 24)
  const paths: Record<string, string> = { raw }
  for (const name of ['qcow2', 'vhd-fixed', 'vhd-dynamic'] as const) {
    paths[name] = join(folder, `whole.${name}`)
    await convert(raw, paths[name], name)
  }
  return paths
}

t.test('a truncated image ends within its limit with a clear message', { skip: noCrafted }, async (t) => {
  const folder = await workFolder(t)
  const images: string[] = []
  for (const [name, path] of Object.entries(await containers(folder))) {
    const size = readFileSync(path).length
    for (const length of [0, 1, 511, 512, 1536, 65_536, Math.floor(size / 2), size - 512, size - 1]) {
      const cut = join(folder, `${name}-${length}`)
      await copyFile(path, cut)
      await truncate(cut, length)
      images.push(cut)
    }
  }
  // What lacks a sector behind the last partition is whole as a RAW disk.
  await ends(
    t,
    images.filter((path) => !/\/raw-\d+$/.test(path) || !path.endsWith(String(26 * mebibyte - 512))),
  )
})

t.test('zeros, noise and patterns end within their limit', { skip: noCrafted }, async (t) => {
  t.comment(`IMAGEGATE_SEED=${seed}`)
  const folder = await workFolder(t)
  const next = random(seed)
  const noise = Buffer.from(Array.from({ length: 65_536 }, () => Math.floor(next() * 256)))
  const images: string[] = []
  const add = (name: string, bytes: Buffer) => {
    const path = join(folder, name)
    writeFileSync(path, bytes)
    images.push(path)
  }
  const sector = Buffer.alloc(512)
  sector.writeUInt16BE(0x55aa, 510)
  const zeros = Buffer.alloc(mebibyte)
  const many = Buffer.concat(Array.from({ length: 32 }, () => noise))
  add('zeros', zeros)
  add('zeros-signed', Buffer.concat([sector, zeros]))
  add('noise', many)
  add('noise-signed', Buffer.concat([noise.subarray(0, 510), Buffer.from('55aa', 'hex'), many]))
  add('ones', Buffer.alloc(mebibyte, 0xff))
  for (const magic of [
    '514649fb00000003',
    '636f6e6563746978',
    '7668647866696c65',
    '4b444d5601000000',
    '5146490000000001',
  ])
    add(`noise-behind-${magic}`, Buffer.concat([Buffer.from(magic, 'hex'), many]))
  add('gpt-noise', Buffer.concat([sector, Buffer.from('EFI PART'), many]))
  const table = Buffer.from(sector)
  for (let entry = 0; entry < 4; entry++) {
    table.writeUInt8(0x83, 446 + entry * 16 + 4)
    table.writeUInt32LE(1, 446 + entry * 16 + 8)
    table.writeUInt32LE(0xffffffff, 446 + entry * 16 + 12)
  }
  add('partitions-beyond', Buffer.concat([table, many]))
  add('random-bytes', randomBytes(mebibyte))
  await ends(t, images)
})

t.test('what leads back to itself ends within its limit', { skip: noCrafted }, async (t) => {
  const folder = await workFolder(t)
  const { raw = '', qcow2 = '' } = await containers(folder)
  const images: string[] = []
  const twisted = async (name: string, from: string, twist: (path: string) => Promise<unknown>) => {
    const path = join(folder, name)
    await copyFile(from, path)
    await twist(path)
    images.push(path)
  }
  const place = (path: string) => ({ path, offset: rootAt })
  await twisted('directory-in-itself', raw, (path) =>
    debugfs(place(path), ['link /etc /etc/ssh/again', 'link / /etc/root']),
  )
  await twisted('links-in-a-circle', raw, (path) =>
    debugfs(place(path), ['rm /etc/fstab', 'symlink /etc/fstab fstab2', 'symlink /etc/fstab2 fstab']),
  )
  await twisted('qcow2-tables', qcow2, async (path) => {
    const table = (await readFile(path)).readBigUInt64BE(40)
    const entry = Buffer.alloc(8)
    entry.writeBigUInt64BE((1n << 63n) | table)
    await patch(path, Number(table), Buffer.concat(Array.from({ length: 32 }, () => entry)))
  })
  const chain = join(folder, 'extended-chain')
  await emptyFile(chain, 8)
  const record = Buffer.alloc(512)
  record.writeUInt16BE(0x55aa, 510)
  const link = (type: number, start: number, size: number, at = 446) => {
    record.writeUInt8(type, at + 4)
    record.writeUInt32LE(start, at + 8)
    record.writeUInt32LE(size, at + 12)
  }
  link(0x05, 2048, 14_336)
  await patch(chain, 0, record)
  link(0x83, 63, 100)
  link(0x05, 0, 14_336, 462)
  await patch(chain, mebibyte, record)
  images.push(chain)
  await ends(t, images)
})

t.test(
  'Windows disks that are damaged end within their limit',
  { skip: noCrafted || needs(windowsPrograms) },
  async (t) => {
    const folder = await workFolder(t)
    const disk = join(folder, 'disk.raw')
    await buildWindowsImage(disk, { partitions: [{ guest: {}, size: 24 }] })
    const bytes = await readFile(disk)
    const images: string[] = []
    const add = (name: string, change: (copy: Buffer) => void) => {
      const copy = Buffer.from(bytes)
      change(copy)
      images.push(join(folder, name))
      writeFileSync(join(folder, name), copy)
    }
    const boot = mebibyte
    const mft =
      boot + Number(bytes.readBigUInt64LE(boot + 0x30)) * bytes.readUInt16LE(boot + 0x0b) * bytes.readUInt8(boot + 0x0d)
    add('mft-at-itself', (copy) => copy.writeBigUInt64LE(0n, boot + 0x30))
    add('mft-beyond', (copy) => copy.writeBigUInt64LE(1n << 40n, boot + 0x30))
    add('mft-zeros', (copy) => copy.fill(0, mft, mft + 65_536))
    add('clusters-of-nothing', (copy) => copy.writeUInt8(0, boot + 0x0d))
    const hive = bytes.indexOf('regf', mebibyte, 'latin1')
    const hives: number[] = []
    for (let at = hive; at > 0; at = bytes.indexOf('regf', at + 1, 'latin1')) hives.push(at)
    add('hives-zeros', (copy) => {
      for (const at of hives) copy.fill(0, at + 4096, at + 8192)
    })
    add('hives-in-circles', (copy) => {
      // Every list of subkeys leads to the root again.
      for (const at of hives) {
        const root = copy.readUInt32LE(at + 0x24)
        for (let word = at + 4096; word < at + 16_384; word += 4)
          if (copy.toString('latin1', word, word + 2) === 'lf') copy.writeUInt32LE(root, word + 4)
      }
    })
    await ends(t, images)
  },
)
