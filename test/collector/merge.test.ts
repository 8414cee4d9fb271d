import t from 'tap'
import { documentOf, mergeFacts, type Origin } from '../../server/collector/merge.ts'
import { missingEntries } from '../../server/collector/merge-missing.ts'
import { soundFacts } from '../../server/collector/merge-sound.ts'
import type { Facts } from '../../server/collector/part.ts'
import { parseFacts } from '../../server/facts/parse.ts'

const at = '2026-11-20T09:30:00Z'
const origin = (method: string): Origin => ({ collector: 'imagegate', version: '1.0.0', method, basis: 'observed', at })
const [table, files, own] = [origin('table'), origin('files'), origin('own')]

function assembled(...given: readonly (readonly [Facts, Origin])[]) {
  const document = documentOf(mergeFacts(given.map(([facts, from]) => ({ facts, origin: from }))), [], own)
  return parseFacts(Buffer.from(JSON.stringify(document))).document
}

const secret = '$6$saltsalt$abcdefghijklmnop'
const reasonsOf = (facts: Facts) => soundFacts(facts).removed.map(({ pointer, code }) => [pointer, code])

t.test('members are merged, lists and scalars are the later one', async (t) => {
  const { disk, image } = assembled(
    [{ image: { name: 'a' }, disk: { partitionTable: 'mbr', partitions: [{ number: 1 }] } }, table],
    [{ disk: { partitions: [{ number: 1, role: 'root' }] } }, files],
  )
  t.same(image, { name: 'a' })
  t.same(disk, { partitionTable: 'mbr', partitions: [{ number: 1, role: 'root' }] })
})

t.test('the longest pointer tells who gave a value first', async (t) => {
  const { collection } = assembled(
    [{ disk: { partitionTable: 'mbr', partitions: [{ number: 1, startBytes: 512, sizeBytes: 512 }] } }, table],
    [
      { disk: { partitions: [{ number: 1, startBytes: 512, sizeBytes: 512, role: 'root' }] }, os: { type: 'linux' } },
      files,
    ],
  )
  t.same(
    collection.sources.map(({ method, pointers }) => [method, pointers]),
    [
      ['table', ['/disk']],
      ['files', ['/disk/partitions/0/role', '/os']],
    ],
  )
})

t.test('facts of nobody are still a document', async (t) => {
  t.match(assembled(), { collection: { sources: [{ pointers: [''], method: 'own' }], missing: [] } })
})

t.test('many exceptions are spread over sources of the allowed length', async (t) => {
  const features = (count: number) => Array.from({ length: count }, (_, index) => `f${index}`)
  const volumes = (role: boolean) =>
    Array.from({ length: 256 }, (_, index) => ({
      device: `/dev/sda${index}`,
      features: features(8),
      ...(role ? { role: 'data' as const, mounted: false, readOnly: false } : {}),
    }))
  const { collection } = assembled([{ volumes: volumes(false) }, table], [{ volumes: volumes(true) }, files])
  t.ok(collection.sources.length >= 3)
  for (const { pointers } of collection.sources) t.ok(pointers.length <= 512)
})

t.test('what looks like a secret goes, and with an element that needs it the whole list', async (t) => {
  t.same(reasonsOf({ os: { type: 'linux', name: secret } }), [['/os/name', 'withheld']])
  t.same(soundFacts({ os: { type: 'linux', name: secret } }).facts, { os: { type: 'linux' } })
  t.same(soundFacts({ os: { name: secret } }).facts, {}, 'an object that is left without members goes, too')
  const ofElement = soundFacts({ volumes: [{ device: '/dev/sda1', label: secret }, { device: '/dev/sda2' }] })
  t.same(
    ofElement.facts,
    { volumes: [{ device: '/dev/sda1' }, { device: '/dev/sda2' }] },
    'a member of an element may be absent',
  )
  const needed = soundFacts({ files: { releaseFiles: [{ path: secret }, { path: '/etc/os-release' }] } })
  t.same(needed.facts, {}, 'a list that is present is complete')
  const ofList = soundFacts({ volumes: [{ device: '/dev/sda1', features: ['extent', secret] }] })
  t.same(ofList.facts, { volumes: [{ device: '/dev/sda1' }] })
})

t.test('what the schema does not admit goes with a reason', async (t) => {
  t.same(reasonsOf({ os: { type: 'linux', version: 'x'.repeat(5000) } }), [['/os/version', 'invalid']])
  t.same(reasonsOf({ os: { type: 'linux', name: 'half \ud800' } }), [['/os/name', 'invalid']])
  t.same(reasonsOf({ disk: { partitions: Array.from({ length: 300 }, (_, index) => ({ number: index + 1 })) } }), [
    ['/disk/partitions', 'invalid'],
  ])
  t.same(soundFacts({ disk: {}, os: { type: 'linux', windows: {} } }), {
    facts: { os: { type: 'linux' } },
    removed: [],
  })
})

t.test('what has no room goes, the largest first', async (t) => {
  const entries = Array.from({ length: 1024 }, (_, index) => ({
    path: `/${index}`.padEnd(1000, 'x'),
    change: 'content' as const,
  }))
  const facts: Facts = {
    os: { type: 'linux' },
    files: { systemFiles: { verification: 'modified', modified: entries } },
  }
  const { facts: left, removed } = soundFacts(facts)
  t.same(left, { os: { type: 'linux' } })
  t.same(
    removed.map(({ pointer, code }) => [pointer, code]),
    [['/files/systemFiles', 'too-large']],
  )
})

t.test('what is missing is told once, within its limits and without secrets', async (t) => {
  const one = { pointer: '/os', code: 'unreadable', reason: 'first' }
  t.same(missingEntries([one, { ...one, reason: 'second' }]), [one])
  t.same(missingEntries([{ ...one, reason: `root:${secret}:1:2:3:4:5:6:` }])[0]?.reason.includes('salt'), false)
  t.equal(missingEntries([{ ...one, reason: `${'x'.repeat(511)}\ud83d\ude00` }])[0]?.reason.isWellFormed(), true)
  t.match(missingEntries([{ pointer: 'no pointer', code: 'No Code', reason: '' }]), [
    { pointer: '', code: 'unreadable', reason: /./ },
  ])
  const many = Array.from({ length: 600 }, (_, index) => ({ ...one, pointer: `/volumes/${index}` }))
  const kept = missingEntries(many)
  t.equal(kept.length, 512)
  t.match(kept.at(-1), { code: 'too-many', reason: /^89 / })
})
