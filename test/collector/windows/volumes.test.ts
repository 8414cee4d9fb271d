import t from 'tap'
import { collectFrom, type TestVolume } from './collecting.ts'
import { lacking } from './programs.ts'

const skip = lacking('hivexsh', 'hivexregedit')
const text = (entries: Record<string, string>): ReadonlyMap<string, Buffer> =>
  new Map(Object.entries(entries).map(([path, content]) => [path, Buffer.from(content)]))

const windows: TestVolume = { guest: { files: { '/bootmgr': undefined, '/Boot/BCD': undefined } } }
const reserved: TestVolume = { contents: text({ '/bootmgr': 'x', '/Boot/BCD': 'x' }) }
const data: TestVolume = { contents: text({ '/files/a.txt': 'x' }) }
const gpt = {
  efi: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
  recovery: 'de94bba4-06d1-4d40-a16a-bfd50179d6ac',
  basic: 'ebd0a0a2-b9e5-4433-87c0-68b6b72699c7',
}

t.test(
  'a volume that holds Windows and its boot files is boot, with the drive letter of SystemRoot',
  { skip },
  async (t) => {
    const { facts } = await collectFrom([{ guest: {} }])
    t.match(facts.volumes, [
      {
        role: 'boot',
        holdsWindowsDirectory: true,
        mounted: true,
        mountPoint: 'C:',
        check: { result: 'clean', method: 'flags' },
      },
    ])
    t.same(facts.disk?.partitions, [
      { number: 1, typeCode: '07', content: 'file-system', role: 'windows', mountPoint: 'C:' },
    ])
    t.same(facts.boot, { loader: 'windows-boot-manager', firmware: 'bios' })
  },
)

t.test('system, boot, data and recovery are told apart on an MBR disk', { skip }, async (t) => {
  const { facts, missing } = await collectFrom([reserved, windows, data, { ...data, typeCode: '27' }])
  t.same(
    facts.volumes?.map(({ role, holdsWindowsDirectory }) => [role, holdsWindowsDirectory]),
    [
      ['system', false],
      ['boot', true],
      ['data', false],
      ['recovery', false],
    ],
  )
  t.same(
    facts.disk?.partitions?.map(({ role }) => role),
    ['windows', 'windows', 'windows', 'recovery'],
  )
  t.notOk(missing.find(({ pointer }) => pointer.startsWith('/volumes')))
})

t.test('a GPT disk starts by UEFI, and its EFI system partition may be unreadable', { skip }, async (t) => {
  const efi: TestVolume = { typeCode: gpt.efi, hidden: true, facts: { fileSystem: 'fat32' } }
  const { facts, missing } = await collectFrom(
    [efi, { ...windows, typeCode: gpt.basic }, { ...data, typeCode: gpt.recovery }],
    'gpt',
  )
  t.match(facts.volumes, [
    { role: 'efi-system', holdsWindowsDirectory: false },
    { role: 'boot' },
    { role: 'recovery', holdsWindowsDirectory: false },
  ])
  t.same(facts.boot, { firmware: 'uefi' })
  t.ok(missing.find(({ pointer }) => pointer === '/boot/loader'))
  const readable = { ...efi, hidden: false, contents: text({ '/EFI/Microsoft/Boot/bootmgfw.efi': 'MZ' }) }
  const { facts: more } = await collectFrom([readable, { ...windows, typeCode: gpt.basic }], 'gpt')
  t.same(more.boot, { loader: 'windows-boot-manager', firmware: 'uefi' })
})

t.test('Server 2003 starts by ntldr', { skip }, async (t) => {
  const files = { '/bootmgr': undefined, '/Boot/BCD': undefined, '/NTLDR': 'x', '/boot.ini': '[boot loader]' }
  const { facts } = await collectFrom([{ guest: { product: 'server2003r2', files } }])
  t.same(facts.boot, { loader: 'ntldr', firmware: 'bios' })
  t.match(facts.volumes, [{ role: 'boot' }])
})

t.test('a hibernated system makes its volume dirty, one that has resumed does not', { skip }, async (t) => {
  const withFile = (content: string) =>
    collectFrom([{ guest: { files: { '/hiberfil.sys': content.padEnd(4096, '\0') } } }])
  for (const signature of ['hibr', 'HIBR', 'rstr']) {
    t.match((await withFile(signature)).facts.volumes, [{ check: { result: 'dirty', method: 'flags' } }], signature)
  }
  for (const signature of ['wake', 'WAKE', '']) {
    t.match((await withFile(signature)).facts.volumes, [{ check: { result: 'clean' } }], signature)
  }
  const { facts } = await collectFrom([{ guest: {} }, { contents: text({ '/HIBERFIL.SYS': 'hibr'.padEnd(4096) }) }])
  t.match(facts.volumes, [{ check: { result: 'clean' } }, { check: { result: 'dirty' } }], 'each volume for itself')
})

t.test(
  'a file too large to be read counts as a hibernated system, and damage that was found stays',
  { skip },
  async (t) => {
    const large = { '/hiberfil.sys': Buffer.alloc(5000) }
    const { facts } = await collectFrom([{ guest: { files: large } }])
    t.match(facts.volumes, [{ check: { result: 'dirty' } }])
    const errors = { check: { result: 'errors', method: 'flags' } } as const
    t.match((await collectFrom([{ guest: { files: large }, facts: errors }])).facts.volumes, [errors])
  },
)

t.test(
  'a BitLocker volume is data beside a readable Windows, and boot when only it can hold Windows',
  { skip },
  async (t) => {
    const locked: TestVolume = { hidden: true, facts: { encryption: 'bitlocker', fileSystem: 'other' } }
    const beside = await collectFrom([reserved, windows, locked])
    t.match(beside.facts.volumes?.[2], { role: 'data', encryption: 'bitlocker' })
    t.notOk('holdsWindowsDirectory' in (beside.facts.volumes?.[2] ?? {}))
    const only = await collectFrom([reserved, locked])
    t.match(only.facts.volumes, [{ role: 'system' }, { role: 'boot' }])
    t.same(only.facts.os, { type: 'windows' })
    t.match(
      only.missing.find(({ pointer }) => pointer === '/firewall'),
      { code: 'encrypted' },
    )
  },
)

t.test('what the use of a volume is stays out when it cannot be told', { skip }, async (t) => {
  const { facts, missing } = await collectFrom([
    { ...windows },
    { hidden: true },
    { ...data, facts: { fileSystem: 'ext4' } },
  ])
  t.same(
    facts.volumes?.map(({ role }) => role),
    ['boot', undefined, undefined],
  )
  t.same(
    missing.filter(({ pointer }) => pointer.startsWith('/volumes')).map(({ pointer }) => pointer),
    ['/volumes/1/role', '/volumes/1/holdsWindowsDirectory', '/volumes/1/check', '/volumes/2/role'],
  )
})

t.test(
  'two Windows directories leave the guest unknown, and none says that this is no Windows',
  { skip },
  async (t) => {
    const { facts, missing } = await collectFrom([{ guest: {} }, { guest: { product: 'windows10' } }])
    t.same(facts.os, { type: 'windows' })
    t.match(
      missing.find(({ pointer }) => pointer === '/os/windows'),
      { code: 'ambiguous' },
    )
    t.same((await collectFrom([data])).facts, {})
  },
)
