import t from 'tap'
import { collectGuest } from './collecting.ts'
import { lacking } from './programs.ts'

const skip = lacking('hivexsh', 'hivexregedit')

t.test('without service and program the agent is not installed', { skip }, async (t) => {
  t.same((await collectGuest({ system: { 'Services\\qemufwcfg': { Start: 3 } } })).facts.agents, {
    qemuGuestAgent: { installed: false },
  })
})

t.test('a service of any of its names counts, running or not', { skip }, async (t) => {
  for (const name of ['QEMU-GA', 'qemu-ga', 'QEMU Guest Agent', 'QEMU Guest Agent VSS Provider']) {
    const { facts } = await collectGuest({ system: { [`Services\\${name}`]: { Start: 4 } } })
    t.same(facts.agents, { qemuGuestAgent: { installed: true, name } })
  }
})

const uninstall = 'Microsoft\\Windows\\CurrentVersion\\Uninstall'
const programs = {
  [`${uninstall}\\{90160000}`]: { DisplayName: 'An office' },
  [`${uninstall}\\Fixes`]: { Comments: 'QEMU guest agent' },
  [`${uninstall}\\${'long'.repeat(60)}`]: { DisplayName: 'Name too long for a script' },
}

t.test('an installed program of its name counts, of either word size', { skip }, async (t) => {
  t.same((await collectGuest({ software: programs })).facts.agents, { qemuGuestAgent: { installed: false } })
  for (const root of ['', 'Wow6432Node\\']) {
    const software = { ...programs, [`${root}${uninstall}\\{EB6B8302}`]: { DisplayName: 'QEMU guest agent' } }
    const { facts } = await collectGuest({ software })
    t.same(facts.agents, { qemuGuestAgent: { installed: true, name: 'QEMU guest agent' } }, root)
  }
})

t.test('more installed programs than are looked at are no proof of absence', { skip }, async (t) => {
  const many = Object.fromEntries(
    Array.from({ length: 1025 }, (_, index) => [`${uninstall}\\${index}`, { DisplayName: String(index) }]),
  )
  const { facts, missing } = await collectGuest({ software: many })
  t.notOk(facts.agents)
  t.match(
    missing.find(({ pointer }) => pointer === '/agents/qemuGuestAgent'),
    { code: 'undecided', reason: /1024 programs/ },
  )
})

t.test('its program counts too, even when the registry cannot be read', { skip }, async (t) => {
  const files = { '/Program Files/Qemu-ga/qemu-ga.exe': 'MZ' }
  const expected = { qemuGuestAgent: { installed: true, name: '/Program Files/Qemu-ga/qemu-ga.exe' } }
  t.same((await collectGuest({ files })).facts.agents, expected)
  const broken = { files, damage: (_name: string, hive: Buffer) => hive.fill(0) }
  t.same((await collectGuest(broken)).facts.agents, expected)
})

t.test('an unreadable registry is no proof of absence', { skip }, async (t) => {
  const { facts, missing } = await collectGuest({ damage: (_name, hive) => hive.fill(0) })
  t.notOk(facts.agents)
  t.match(
    missing.find(({ pointer }) => pointer === '/agents/qemuGuestAgent'),
    { code: 'damaged' },
  )
})
