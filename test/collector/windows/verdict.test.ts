import t from 'tap'
import type { Facts } from '../../../server/collector/part.ts'
import { judgeDocument, results } from '../../policies/shipped.ts'
import { type Collected, collectFrom, type TestVolume } from './collecting.ts'
import { driverFile } from './drivers.ts'
import { accountValues, administratorKey, firewallPolicy, type ProductName } from './products.ts'
import { lacking } from './programs.ts'

const skip = lacking('hivexsh', 'hivexregedit')
const gibibyte = 2 ** 30
const volumeFacts = { sizeBytes: 30 * gibibyte, freeBytes: 20 * gibibyte }

const passwordProperties = {
  length: 16,
  hasUppercase: true,
  hasLowercase: true,
  hasDigit: true,
  hasSpecial: true,
  hasOther: false,
  startsWithSlash: false,
}

/** The verdict on what was collected, with the container and the two attestations that no image gives. */
function verdictOn({ facts, missing }: Collected) {
  const source = { collector: 'test', version: '1', method: 'test', at: '2026-01-01T00:00:00Z' }
  const document: Facts & Record<string, unknown> = {
    schema: 'imagegate.facts/1',
    ...facts,
    image: { name: 'disk.raw', format: 'raw', virtualSizeBytes: 40 * gibibyte },
    files: { systemFiles: { baseline: 'sfc', verification: 'match' } },
    accounts: { administrator: { ...facts.accounts?.administrator, passwordProperties } },
    collection: {
      sources: [
        { ...source, pointers: [''], basis: 'observed' },
        {
          ...source,
          pointers: ['/files/systemFiles', '/accounts/administrator/passwordProperties'],
          basis: 'attested',
        },
      ],
      missing,
    },
  }
  return judgeDocument(document, {}, '1.0.0')
}

const verdictOf = async (...volumes: TestVolume[]) =>
  verdictOn(await collectFrom(volumes.map((volume) => ({ ...volume, facts: { ...volumeFacts, ...volume.facts } }))))

t.test('a prepared server of every listed release is ready', { skip }, async (t) => {
  const listed: ProductName[] = [
    'server2003sp1',
    'server2003r2',
    'server2008',
    'server2008r2',
    'server2012',
    'server2012r2',
    'server2016',
    'server2019',
  ]
  for (const product of listed) {
    const verdict = await verdictOf({ guest: { product } })
    t.equal(verdict.outcome, 'ready', `${product}: ${JSON.stringify(verdict.missing)}`)
  }
})

t.test('clients, other releases and a service pack that lacks fail by the release alone', { skip }, async (t) => {
  const good = results(await verdictOf({ guest: {} }))
  for (const product of [
    'xp',
    'windows7',
    'windows10',
    'server2003',
    'server1809',
    'server2022',
  ] satisfies ProductName[]) {
    const verdict = await verdictOf({ guest: { product } })
    t.equal(verdict.outcome, 'not_ready', product)
    t.same(results(verdict), { ...good, 'windows-server.release': 'fail' }, product)
  }
})

t.test('each fault changes the rules that speak of it', { skip }, async (t) => {
  const driver = '/Windows/System32/drivers/netkvm.sys'
  const community = { files: { [driver]: driverFile({ company: 'Example' }) } }
  const faults: readonly (readonly [TestVolume, Readonly<Record<string, string>>])[] = [
    [
      { guest: { system: { [`${firewallPolicy}\\DomainProfile`]: { EnableFirewall: 1 } } } },
      { 'windows-server.firewall.disabled': 'fail', 'windows-server.rdp.reachable': 'fail' },
    ],
    [
      { guest: { system: { 'Control\\Terminal Server': { fDenyTSConnections: 1 } } } },
      { 'windows-server.rdp.reachable': 'fail' },
    ],
    [
      { guest: { system: { 'Control\\Terminal Server\\WinStations\\RDP-Tcp': { PortNumber: 3390 } } } },
      { 'windows-server.rdp.reachable': 'fail' },
    ],
    [
      { guest: { system: { 'Services\\QEMU-GA': { Start: 2 } } } },
      { 'windows-server.qemu-guest-agent.absent': 'fail' },
    ],
    [
      { guest: { sam: { [administratorKey]: accountValues({ hashBytes: 24 }) } } },
      {
        'windows-server.administrator.password': 'fail',
        'windows-server.administrator.password-characters': 'not_applicable',
      },
    ],
    [
      { guest: community, readOnly: [driver] },
      { 'windows-server.virtio.edition': 'fail', 'windows-server.virtio.files-writable': 'fail' },
    ],
    [{ guest: { files: { '/hiberfil.sys': 'hibr'.padEnd(4096) } } }, { 'windows-server.filesystem.checked': 'fail' }],
  ]
  const good = results(await verdictOf({ guest: {} }))
  for (const [volume, expected] of faults) {
    const found = Object.entries(results(await verdictOf(volume))).filter(([rule, result]) => good[rule] !== result)
    t.same(Object.fromEntries(found), expected)
  }
})

t.test('unreadable hives make the verdict undetermined, never ready', { skip }, async (t) => {
  const verdict = await verdictOf({ guest: { damage: (_name, hive) => hive.fill(0) } })
  t.equal(verdict.outcome, 'undetermined')
})
