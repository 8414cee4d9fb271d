import { join } from 'node:path'
import t from 'tap'
import { collectImage } from '../../../server/collector/collect.ts'
import type { FactDocument } from '../../../server/documents/facts.ts'
import { convert } from '../images/containers.ts'
import { refusedContainers } from '../images/containers-refused.ts'
import { mebibyte } from '../images/disk.ts'
import { craftedDisk } from '../images/linux-disks.ts'
import { centosFiles } from '../images/linux-images.ts'
import { needs } from '../images/run.ts'
import { workFolder } from './check.ts'
import { holds } from './judge-image.ts'
import { goodDebian, noCrafted, noDebian } from './prepared.ts'

const formats = {
  raw: { format: 'raw' },
  qcow2: { format: 'qcow2' },
  'vhd-fixed': { format: 'vhd', subformat: 'fixed' },
  'vhd-dynamic': { format: 'vhd', subformat: 'dynamic' },
} as const

const guest = ({ image: _image, collection: _collection, ...facts }: FactDocument) => facts
const reasons = ({ collection }: FactDocument) => collection.missing

t.test('a Debian disk has the same facts in all four containers', { skip: noDebian }, async (t) => {
  const { folder, good } = await goodDebian(t)
  const raw = await collectImage(good)
  for (const [name, own] of Object.entries(formats)) {
    const path = join(folder, name)
    await convert(good, path, name === 'raw' ? 'raw' : (name as 'qcow2'))
    const document = await collectImage(path)
    t.match(document.image, own, name)
    t.equal(document.image?.virtualSizeBytes, 500 * mebibyte, 'the size that the guest sees, not the file')
    t.same(guest(document), guest(raw), `the facts of ${name} are those of the RAW image`)
    t.same(reasons(document), reasons(raw), 'and so is what is missing')
  }
})

t.test('a container that is no complete RAW, QCOW2 or VHD is named and fails', { skip: noCrafted }, async (t) => {
  const folder = await workFolder(t)
  const good = join(folder, 'small.raw')
  await craftedDisk(good, await centosFiles('centos7', undefined), 24)
  for (const image of refusedContainers) {
    const skip = needs(image.programs ?? [])
    await t.test(`${image.requirement}: ${image.name}`, { skip }, (t) => holds(t, image, { folder, good }))
  }
})
