import t from 'tap'
import { collectGuest } from './collecting.ts'
import { type ProductName, products } from './products.ts'
import { lacking } from './programs.ts'

const skip = lacking('hivexsh', 'hivexregedit')
const currentVersion = 'Microsoft\\Windows NT\\CurrentVersion'

t.test('every release is told by NT version, build, product type and service pack', { skip }, async (t) => {
  const releases: Record<ProductName, readonly unknown[]> = {
    xp: ['5.1', 2600, 'workstation', 3],
    server2003: ['5.2', 3790, 'server', 0],
    server2003sp1: ['5.2', 3790, 'server', 1],
    server2003r2: ['5.2', 3790, 'server', 2],
    server2008: ['6.0', 6002, 'server', 2],
    windows7: ['6.1', 7601, 'workstation', 1],
    server2008r2: ['6.1', 7601, 'server', 1],
    server2012: ['6.2', 9200, 'server', 0],
    server2012r2: ['6.3', 9600, 'server', 0],
    windows10: ['10.0', 19045, 'workstation', 0],
    server2016: ['10.0', 14393, 'server', 0],
    server2019: ['10.0', 17763, 'server', 0],
    server1809: ['10.0', 17763, 'server', 0],
    server2022: ['10.0', 20348, 'server', 0],
    controller: ['10.0', 14393, 'domain-controller', 0],
  }
  for (const product of Object.keys(products) as ProductName[]) {
    const [ntVersion, build, productType, servicePack] = releases[product]
    const { facts } = await collectGuest({ product })
    t.match(facts.os, { type: 'windows', windows: { ntVersion, build, productType, servicePack } }, product)
    t.equal(facts.os?.name, products[product].name)
  }
})

t.test(
  'edition, release channel and architecture come from the registry, and 2003 has no edition',
  { skip },
  async (t) => {
    t.match((await collectGuest()).facts.os, {
      architecture: 'x86_64',
      windows: { editionId: 'ServerStandard', releaseChannel: 'long-term' },
    })
    t.match((await collectGuest({ product: 'server1809' })).facts.os, {
      windows: { editionId: 'ServerStandardACor', releaseChannel: 'semi-annual' },
    })
    const old = await collectGuest({ product: 'server2003' })
    t.equal(old.facts.os?.architecture, 'i386')
    t.notOk(old.facts.os?.windows?.editionId ?? old.facts.os?.windows?.releaseChannel)
    t.notOk(
      old.missing.find(({ pointer }) => pointer.startsWith('/os')),
      'and nothing is missing',
    )
  },
)

t.test('the current control set is the one that Select names', { skip }, async (t) => {
  const { facts } = await collectGuest({ controlSet: 2, product: 'controller' })
  t.equal(facts.os?.windows?.productType, 'domain-controller')
})

t.test('what cannot be told is left out with the reason, and the rest stays', { skip }, async (t) => {
  const environment = 'Control\\Session Manager\\Environment'
  const cases = [
    ['ntVersion', 'undecided', { software: { [currentVersion]: { CurrentMajorVersionNumber: 11 } } }],
    ['ntVersion', 'unexpected-type', { software: { [currentVersion]: { CurrentMajorVersionNumber: 'ten' } } }],
    ['build', 'undecided', { software: { [currentVersion]: { CurrentBuildNumber: '17763; x' } } }],
    ['productType', 'undecided', { system: { 'Control\\ProductOptions': { ProductType: 'Other' } } }],
    ['productType', 'undecided', { system: { 'Control\\ProductOptions': undefined } }],
    ['servicePack', 'undecided', { software: { [currentVersion]: { CSDVersion: 'Service Pack 2' } } }],
    ['servicePack', 'undecided', { software: { [currentVersion]: { CSDVersion: 'v.657' } } }],
    ['editionId', 'undecided', { software: { [currentVersion]: { EditionID: undefined } } }],
  ] as const
  for (const [name, code, guest] of cases) {
    const { facts, missing } = await collectGuest(guest)
    t.notOk(name in (facts.os?.windows ?? {}), `${name} is left out`)
    t.match(
      missing.filter(({ pointer }) => pointer.startsWith('/os')),
      [{ pointer: `/os/windows/${name}`, code }],
    )
    t.equal(facts.os?.type, 'windows')
  }
  const { facts } = await collectGuest({ system: { [environment]: { PROCESSOR_ARCHITECTURE: 'constructor' } } })
  t.equal(facts.os?.architecture, 'other')
})
