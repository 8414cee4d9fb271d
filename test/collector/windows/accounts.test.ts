import t from 'tap'
import { collectGuest } from './collecting.ts'
import { accountValues, administratorKey } from './products.ts'
import { lacking } from './programs.ts'

const skip = lacking('hivexsh', 'hivexregedit')
const withAccount = (options: Parameters<typeof accountValues>[0]) => ({
  sam: { [administratorKey]: accountValues(options) },
})

t.test('name, disabled bit and presence of a password are told', { skip }, async (t) => {
  const enabled = { name: 'Administrator', disabled: false, password: 'set' }
  t.same((await collectGuest()).facts.accounts, { administrator: enabled })
  const disabled = await collectGuest(withAccount({ disabled: true }))
  t.same(disabled.facts.accounts, { administrator: { ...enabled, disabled: true } })
  const renamed = await collectGuest(withAccount({ name: 'Größe管理' }))
  t.same(renamed.facts.accounts, { administrator: { ...enabled, name: 'Größe管理' } })
})

t.test('an entry without a hash is an empty password, in both forms of it', { skip }, async (t) => {
  for (const [hashBytes, password] of [
    [4, 'empty'],
    [24, 'empty'],
    [20, 'set'],
    [56, 'set'],
  ] as const) {
    t.match((await collectGuest(withAccount({ hashBytes }))).facts.accounts, { administrator: { password } })
  }
  const { facts, missing } = await collectGuest(withAccount({ hashBytes: 33 }))
  t.same(facts.accounts, { administrator: { name: 'Administrator', disabled: false } })
  t.ok(missing.find(({ pointer }) => pointer === '/accounts/administrator/password'))
})

t.test('the properties of a password are always missing', { skip }, async (t) => {
  t.match(
    (await collectGuest()).missing.filter(({ pointer }) => pointer.startsWith('/accounts')),
    [{ pointer: '/accounts/administrator/passwordProperties', code: 'unverifiable' }],
  )
})

t.test('nothing of a hash appears in facts or reasons', { skip }, async (t) => {
  const said = JSON.stringify(await collectGuest())
  t.notMatch(said, /aaaa|\u00aa|qqqq/i)
})

t.test('a domain controller, another form and a missing hive leave the account out', { skip }, async (t) => {
  const short = { sam: { [administratorKey]: { F: Buffer.alloc(80), V: Buffer.alloc(8) } } }
  const guests = [
    { product: 'controller' as const },
    short,
    { sam: { [administratorKey]: { F: undefined } } },
    { sam: { SAM: undefined } },
    { files: { '/Windows/System32/config/SAM': undefined } },
  ]
  for (const guest of guests) {
    const { facts, missing } = await collectGuest(guest)
    t.notOk(facts.accounts)
    t.ok(missing.find(({ pointer }) => pointer === '/accounts/administrator'))
  }
})
