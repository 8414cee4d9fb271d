import { chmodSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type CollectOptions, collectImage } from '../../../server/collector/collect.ts'
import { diagnose } from '../../../server/collector/doctor.ts'
import { tools } from '../../../server/collector/tools/table.ts'
import type { FactDocument } from '../../../server/documents/facts.ts'
import { convert } from '../images/containers.ts'
import { craftedDisk } from '../images/linux-disks.ts'
import { centosFiles } from '../images/linux-images.ts'
import { needs } from '../images/run.ts'
import { sha256, workFolder } from './check.ts'
import { noCrafted } from './prepared.ts'
import { program, runProgram, scratch } from './program.ts'

const nobody = 65_534
const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

const facts = ({ collection: _collection, ...rest }: FactDocument) => rest

async function images(folder: string): Promise<readonly string[]> {
  const raw = join(folder, 'disk.raw')
  await craftedDisk(raw, await centosFiles('centos7', undefined), 24)
  const qcow2 = join(folder, 'disk.qcow2')
  await convert(raw, qcow2, 'qcow2')
  for (const path of [raw, qcow2]) chmodSync(path, 0o644)
  return [raw, qcow2]
}

const skipOther = noCrafted || needs(['setpriv'], true)

t.test('an ordinary user gets what root gets, and nothing is left behind', { skip: skipOther }, async (t) => {
  const folder = await workFolder(t)
  chmodSync(folder, 0o755)
  const main = program(folder)
  const paths = await images(folder)
  const before = await Promise.all(paths.map(sha256))
  for (const path of paths) {
    const collected: unknown[] = []
    for (const uid of [0, nobody]) {
      const temporary = scratch(folder, `tmp-${path.endsWith('raw') ? 'raw' : 'qcow2'}-${uid}`, uid)
      const ran = await runProgram(main, ['collect', path], { temporary, uid })
      collected.push(facts(JSON.parse(ran.stdout)))
      t.equal(/running as root/.test(ran.stderr), uid === 0, 'only root is warned')
      t.same(readdirSync(temporary), [], 'no temporary file is left')
    }
    t.same(collected[1], collected[0], path.slice(-5))
  }
  const [raw = ''] = paths
  const own = scratch(folder, 'tmp-private', 0, 0o700)
  const ran = await runProgram(main, ['collect', raw], { temporary: own })
  const whole: FactDocument = JSON.parse(ran.stdout)
  t.equal(whole.os?.id, 'centos', 'root may keep its temporary files to itself')
  t.same(await Promise.all(paths.map(sha256)), before)
})

t.test('without FUSE, or without a sandbox, the facts are the same', { skip: noCrafted }, async (t) => {
  const [raw = '', qcow2 = ''] = await images(await workFolder(t))
  for (const path of [raw, qcow2]) {
    const whole = facts(await collectImage(path))
    const ways: readonly CollectOptions[] = [{ fuse: 'off' }, { sandbox: 'off' }, { fuse: 'off', sandbox: 'off' }]
    for (const way of ways) t.same(facts(await collectImage(path, way)), whole, JSON.stringify(way))
  }
})

/** A folder with links to all programs but one. */
function without(folder: string, missing: string): string {
  const path = join(folder, `without-${missing.replaceAll('.', '-')}`)
  mkdirSync(path)
  for (const from of folders.slice(0, 2)) {
    for (const name of readdirSync(from)) {
      if (name === missing || !(name in tools)) continue
      try {
        symlinkSync(join(from, name), join(path, name))
      } catch {
        // The same program in another folder.
      }
    }
  }
  return path
}

t.test('without one of its programs it says which package brings it, and goes on', { skip: noCrafted }, async (t) => {
  const folder = await workFolder(t)
  const [, qcow2 = ''] = await images(folder)
  const whole = await collectImage(qcow2)
  for (const [name, tool] of Object.entries(tools)) {
    const toolFolders = [without(folder, name)]
    const notices: string[] = []
    const document = await collectImage(qcow2, { toolFolders, onNotice: (notice) => notices.push(notice) })
    const said = document.collection.missing?.map(({ reason }) => reason).join('\n') ?? ''
    t.same(document.image?.format, 'qcow2', `${name}: the container is told without it`)
    const lost = JSON.stringify(facts(document)) !== JSON.stringify(facts(whole))
    if (lost) t.match(said, `install the Debian package ${tool.package}`, `${name}: its package is named`)
    const diagnosis = await diagnose(AbortSignal.timeout(60_000), toolFolders)
    const state = diagnosis.tools.find((one) => one.name === name)
    t.match(state, { package: tool.package, serves: tool.serves })
    t.equal(state?.path, undefined, `${name}: doctor says that it is missing`)
  }
})
