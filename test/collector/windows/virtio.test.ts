import t from 'tap'
import { publisherOf } from '../../../server/collector/windows/publisher.ts'
import { collectGuest } from './collecting.ts'
import { driverFile } from './drivers.ts'
import { lacking } from './programs.ts'

const skip = lacking('hivexsh', 'hivexregedit')
const path = (name: string): string => `/Windows/System32/drivers/${name}.sys`
const redHat = driverFile({ company: 'Red Hat, Inc.' })
const gone = { exists: false }

t.test('without virtio drivers the edition is none and no file exists', { skip }, async (t) => {
  const { facts, missing } = await collectGuest()
  const files = { netkvm: gone, balloon: gone, vioser: gone, viostor: gone, pvpanic: gone }
  t.same(facts.drivers, { virtioWindows: { edition: 'none', files } })
  t.notOk(missing.find(({ pointer }) => pointer.startsWith('/drivers')))
})

t.test(
  'each of the five files is told with its read-only attribute, whatever the case of its name',
  { skip },
  async (t) => {
    for (const name of ['netkvm', 'balloon', 'vioser', 'viostor', 'pvpanic']) {
      const files = { netkvm: gone, balloon: gone, vioser: gone, viostor: gone, pvpanic: gone }
      const plain = await collectGuest({ files: { [path(name).replace('.sys', '.SYS')]: redHat } })
      t.same(plain.facts.drivers?.virtioWindows?.files, { ...files, [name]: { exists: true, readOnly: false } })
      const locked = await collectGuest({ files: { [path(name)]: redHat } }, [path(name)])
      t.same(locked.facts.drivers?.virtioWindows?.files, { ...files, [name]: { exists: true, readOnly: true } })
      t.equal(locked.facts.drivers?.virtioWindows?.edition, 'red-hat')
    }
  },
)

t.test('the edition follows from signer and company', async (t) => {
  t.equal(publisherOf(driverFile({ company: 'Alibaba Cloud' })), 'alibaba')
  t.equal(
    publisherOf(driverFile({ company: 'Red Hat, Inc.', signer: 'Alibaba (China) Network Technology' })),
    'alibaba',
  )
  t.equal(publisherOf(driverFile({ signer: 'Red Hat, Inc.' })), 'red-hat')
  t.equal(publisherOf(redHat), 'red-hat')
  const microsoft = 'Microsoft Windows Hardware Compatibility Publisher'
  t.equal(publisherOf(driverFile({ company: 'Red Hat, Inc.', signer: microsoft })), 'red-hat')
  t.equal(publisherOf(driverFile({ company: 'Red Hat, Inc.', signer: 'VirtIOTestCert' })), undefined)
  t.equal(publisherOf(driverFile({ company: 'Example Builds', signer: 'VirtIOTestCert' })), 'other')
  t.equal(publisherOf(driverFile({ company: 'Example Builds' })), 'other')
  t.equal(publisherOf(driverFile()), undefined)
  t.equal(publisherOf(driverFile({ signer: 'VirtIOTestCert' })), undefined)
})

t.test('no cut or twisted driver breaks the reading', async (t) => {
  const whole = driverFile({ company: 'Example', signer: 'Example' })
  for (let length = 0; length < whole.length; length++) publisherOf(whole.subarray(0, length))
  for (let at = 0; at < whole.length; at++) {
    const twisted = Buffer.from(whole)
    twisted.fill(0xff, at, Math.min(at + 4, whole.length))
    publisherOf(twisted)
  }
  t.pass()
})

t.test(
  'one community driver makes the edition community, and disagreement leaves it undecided',
  { skip },
  async (t) => {
    const community = driverFile({ company: 'Example Builds' })
    const mixed = await collectGuest({ files: { [path('netkvm')]: redHat, [path('vioscsi')]: community } })
    t.equal(mixed.facts.drivers?.virtioWindows?.edition, 'community')
    for (const other of [driverFile(), driverFile({ company: 'Alibaba Cloud' })]) {
      const { facts, missing } = await collectGuest({ files: { [path('netkvm')]: redHat, [path('viostor')]: other } })
      t.notOk('edition' in (facts.drivers?.virtioWindows ?? {}))
      t.match(
        missing.find(({ pointer }) => pointer === '/drivers/virtioWindows/edition'),
        { code: 'undecided' },
      )
    }
  },
)

t.test('a service without its file leaves the edition undecided', { skip }, async (t) => {
  const { facts } = await collectGuest({ system: { 'Services\\netkvm': { Start: 3 } } })
  t.notOk('edition' in (facts.drivers?.virtioWindows ?? {}))
})
