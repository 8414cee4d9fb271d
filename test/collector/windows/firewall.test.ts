import t from 'tap'
import { collectGuest } from './collecting.ts'
import { firewallPolicy, type ProductName } from './products.ts'
import { lacking } from './programs.ts'

const skip = lacking('hivexsh', 'hivexregedit')
const policy = 'Policies\\Microsoft\\WindowsFirewall'
const off = { local: 'off', policy: 'unset' }

t.test('three profiles, off, without group policy', { skip }, async (t) => {
  const { facts, missing } = await collectGuest()
  t.same(facts.firewall, { service: { disabled: false }, profiles: { domain: off, private: off, public: off } })
  t.notOk(missing.find(({ pointer }) => pointer.startsWith('/firewall')))
})

t.test('Server 2003 has two profiles, and its service is SharedAccess', { skip }, async (t) => {
  for (const product of ['server2003sp1', 'xp'] satisfies ProductName[]) {
    const { facts, missing } = await collectGuest({ product, system: { 'Services\\SharedAccess': { Start: 4 } } })
    t.same(facts.firewall, { service: { disabled: true }, profiles: { domain: off, private: off } })
    t.notOk(missing.find(({ pointer }) => pointer.startsWith('/firewall')))
  }
})

t.test('each profile and the service are told apart', { skip }, async (t) => {
  const profiles = { DomainProfile: 'domain', StandardProfile: 'private', PublicProfile: 'public' } as const
  for (const [key, name] of Object.entries(profiles)) {
    const { facts } = await collectGuest({ system: { [`${firewallPolicy}\\${key}`]: { EnableFirewall: 1 } } })
    const all = { domain: off, private: off, public: off }
    t.same(facts.firewall?.profiles, { ...all, [name]: { local: 'on', policy: 'unset' } })
  }
  const { facts } = await collectGuest({ system: { 'Services\\MpsSvc': { Start: 4 } } })
  t.equal(facts.firewall?.service?.disabled, true)
})

t.test('group policy is read beside the local settings', { skip }, async (t) => {
  const { facts } = await collectGuest({
    software: {
      [`${policy}\\DomainProfile`]: { EnableFirewall: 1 },
      [`${policy}\\PrivateProfile`]: { EnableFirewall: 0 },
      [`${policy}\\PublicProfile`]: { EnableFirewall: 0 },
    },
  })
  t.match(facts.firewall?.profiles, { domain: { policy: 'on' }, private: { policy: 'off' }, public: { policy: 'off' } })
  const old = await collectGuest({
    product: 'server2003r2',
    software: { [`${policy}\\StandardProfile`]: { EnableFirewall: 1 } },
  })
  t.match(old.facts.firewall?.profiles, { private: { local: 'off', policy: 'on' } })
})

t.test(
  'a policy of the standard profile leaves the public one undecided, and a contradiction the private one',
  { skip },
  async (t) => {
    const { facts, missing } = await collectGuest({
      software: {
        [`${policy}\\StandardProfile`]: { EnableFirewall: 0 },
        [`${policy}\\PrivateProfile`]: { EnableFirewall: 1 },
      },
    })
    t.same(facts.firewall?.profiles, { domain: off, private: { local: 'off' }, public: { local: 'off' } })
    t.same(
      missing.filter(({ pointer }) => pointer.startsWith('/firewall')).map(({ pointer, code }) => [pointer, code]),
      [
        ['/firewall/profiles/private/policy', 'undecided'],
        ['/firewall/profiles/public/policy', 'undecided'],
      ],
    )
  },
)

t.test('a value that is not set, of another type or out of range is missing, never off', { skip }, async (t) => {
  for (const EnableFirewall of [undefined, '0', 7, Buffer.from([0, 0, 0, 0])]) {
    const { facts, missing } = await collectGuest({
      system: { [`${firewallPolicy}\\PublicProfile`]: { EnableFirewall } },
    })
    t.same(facts.firewall?.profiles?.public, { policy: 'unset' })
    t.ok(missing.find(({ pointer }) => pointer === '/firewall/profiles/public/local'))
  }
})
