import t from 'tap'
import { count, random, seed } from '../../support/long.ts'
import { collectGuest } from './collecting.ts'
import { driverFile } from './drivers.ts'
import type { GuestDescription } from './guest.ts'
import { sealHive } from './hives.ts'
import { accountValues, administratorKey, firewallPolicy } from './products.ts'
import { lacking } from './programs.ts'

const skip = lacking('hivexsh', 'hivexregedit')

type Flat = ReadonlyMap<string, unknown>

function flat(value: unknown, pointer = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return [[pointer, value]]
  return Object.entries(value).flatMap(([name, member]) => flat(member, `${pointer}/${name}`))
}

const collected = async (guest: GuestDescription, readOnly: readonly string[] = []): Promise<Flat> =>
  new Map(flat((await collectGuest(guest, readOnly)).facts))

t.test('one fault changes its own facts and nothing else', { skip }, async (t) => {
  const driver = '/Windows/System32/drivers/viostor.sys'
  const drivers = { files: { [driver]: driverFile({ company: 'Red Hat, Inc.' }) } }
  const good = await collected(drivers)
  const faults: readonly (readonly [GuestDescription, Record<string, unknown>, (readonly string[])?])[] = [
    [
      { system: { [`${firewallPolicy}\\PublicProfile`]: { EnableFirewall: 1 } } },
      { '/firewall/profiles/public/local': 'on' },
    ],
    [
      { system: { 'Control\\Terminal Server': { fDenyTSConnections: 1 } } },
      { '/remoteAccess/rdp/connectionsAllowed': false },
    ],
    [{ system: { 'Services\\TermService': { Start: 4 } } }, { '/remoteAccess/rdp/serviceDisabled': true }],
    [
      { system: { 'Control\\Terminal Server\\WinStations\\RDP-Tcp': { PortNumber: 3390 } } },
      { '/remoteAccess/rdp/port': 3390 },
    ],
    [
      { system: { 'Services\\QEMU-GA': { Start: 2 } } },
      { '/agents/qemuGuestAgent/installed': true, '/agents/qemuGuestAgent/name': 'QEMU-GA' },
    ],
    [
      { sam: { [administratorKey]: accountValues({ hashBytes: 24 }) } },
      { '/accounts/administrator/password': 'empty' },
    ],
    [{ sam: { [administratorKey]: accountValues({ disabled: true }) } }, { '/accounts/administrator/disabled': true }],
    [{}, { '/drivers/virtioWindows/files/viostor/readOnly': true }, [driver]],
    [{ files: { [driver]: driverFile({ company: 'Example' }) } }, { '/drivers/virtioWindows/edition': 'community' }],
    [{ files: { '/hiberfil.sys': 'hibr'.padEnd(4096) } }, { '/volumes/0/check/result': 'dirty' }],
  ]
  for (const [fault, expected, readOnly] of faults) {
    const facts = await collected({ ...fault, files: { ...drivers.files, ...fault.files } }, readOnly)
    const pointers = [...new Set([...good.keys(), ...facts.keys()])]
    const different = pointers.filter(
      (pointer) => good.get(pointer) !== facts.get(pointer) && !isEmpty(good, facts, pointer),
    )
    t.same(Object.fromEntries(different.map((pointer) => [pointer, facts.get(pointer)])), expected)
  }
})

const isEmpty = (one: Flat, other: Flat, pointer: string): boolean =>
  [one, other].every((facts) => Array.isArray(facts.get(pointer)))

t.test('what no image tells is missing with a reason', { skip }, async (t) => {
  const { missing } = await collectGuest()
  t.same(
    missing.map(({ pointer, code }) => [pointer, code]),
    [
      ['/accounts/administrator/passwordProperties', 'unverifiable'],
      ['/files/systemFiles/verification', 'unverifiable'],
    ],
  )
})

t.test('a hive that was not closed cleanly is read, and said to be', { skip }, async (t) => {
  const opened = (name: string, hive: Buffer): Buffer => {
    if (name === 'SYSTEM') hive.writeUInt32LE(hive.readUInt32LE(4) + 1, 4)
    return sealHive(hive)
  }
  const { facts, missing } = await collectGuest({ damage: opened })
  t.equal(facts.firewall?.profiles?.domain?.local, 'off')
  t.match(
    missing.find(({ code }) => code === 'hive-dirty'),
    { pointer: '/firewall', reason: /SYSTEM/ },
  )
})

t.test('that the hive SAM was not closed cleanly is told alike', { skip }, async (t) => {
  const opened = (name: string, hive: Buffer): Buffer => {
    if (name === 'SAM') hive.writeUInt32LE(hive.readUInt32LE(4) + 1, 4)
    return sealHive(hive)
  }
  const { facts, missing } = await collectGuest({ damage: opened })
  t.equal(facts.accounts?.administrator?.password, 'set')
  t.match(
    missing.filter(({ code }) => code === 'hive-dirty'),
    [{ pointer: '/accounts/administrator', reason: /SAM/ }],
  )
})

t.test('a missing hive takes only its own facts away', { skip }, async (t) => {
  const config = '/Windows/System32/config'
  const { facts, missing } = await collectGuest({ files: { [`${config}/SOFTWARE`]: undefined } })
  t.same(facts.os, { type: 'windows', architecture: 'x86_64', windows: { productType: 'server' } })
  for (const pointer of ['/os/windows/build', '/agents/qemuGuestAgent'])
    t.match(
      missing.find((one) => one.pointer === pointer),
      { code: 'absent', reason: /SOFTWARE/ },
    )
})

t.test('twisted hives end in facts or reasons, in every section', { skip }, async (t) => {
  const next = random(seed)
  t.comment(`seed ${seed}`)
  for (let run = 0; run < count(1000, 40); run++) {
    const twist = (_name: string, hive: Buffer): Buffer => {
      const count = 1 + Math.floor(next() * 30)
      for (let change = 0; change < count; change++) hive[Math.floor(next() * hive.length)] = Math.floor(next() * 256)
      return sealHive(next() < 0.2 ? hive.subarray(0, 4096 + Math.floor(next() * 8192)) : hive)
    }
    const { facts, missing } = await collectGuest({ damage: twist })
    t.notOk(
      missing.find(({ code }) => code === 'parser-failed'),
      `${run}: no error of ours`,
    )
    for (const [pointer, section] of [
      ['/os', facts.os?.windows?.build],
      ['/firewall', facts.firewall?.profiles?.domain?.local],
      ['/agents', facts.agents?.qemuGuestAgent?.installed],
    ] as const) {
      if (section === undefined)
        t.ok(
          missing.find((one) => one.pointer.startsWith(pointer)),
          `${run}: ${pointer}`,
        )
    }
  }
})
