import { randomBytes } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { collectImage } from '../../server/collector/collect.ts'
import { canonicalize } from '../../server/digest.ts'
import type { FactDocument } from '../../server/documents/facts.ts'
import { coverageProblems } from '../../server/facts/coverage.ts'
import { parseFacts } from '../../server/facts/parse.ts'
import { problemsOf } from '../../server/schemas.ts'
import { asQcow2, canary, digestOf, littleDebian, overwritten, programsMissing, smallImage } from './small-image.ts'

const folder = t.testdir()
const skip = await programsMissing([
  'mke2fs',
  'sfdisk',
  'qemu-img',
  'blkid',
  'tune2fs',
  'debugfs',
  'prlimit',
  'setpriv',
])
const now = () => new Date('2026-11-20T09:30:00Z')

function parsed(document: FactDocument) {
  t.same(problemsOf('facts', document), [])
  t.same(coverageProblems(document), [])
  return parseFacts(Buffer.from(JSON.stringify(document)))
}

/** Facts apart from those of the container itself. */
function inner({ image: _image, collection: _collection, ...rest }: FactDocument): string {
  return canonicalize(rest)
}

const codesOf = (document: FactDocument) =>
  new Map(document.collection.missing?.map(({ pointer, code }) => [pointer, code]))

t.test('an image becomes a document that the service takes, and stays as it was', { skip }, async (t) => {
  const raw = smallImage(folder, 'disk.raw')
  const before = digestOf(raw)
  const steps: string[] = []
  const document = await collectImage(raw, { now, digest: true, onStep: (step) => steps.push(step) })
  t.equal(digestOf(raw), before)
  const { factsDigest } = parsed(document)
  t.match(document, {
    image: { name: 'disk.raw', format: 'raw', virtualSizeBytes: 34 * 1_048_576, digest: `sha256:${before}` },
    disk: { partitionTable: 'mbr', partitions: [{ number: 1, role: 'root', mountPoint: '/' }] },
    volumes: [{ fileSystem: 'ext4', role: 'root', check: { result: 'clean', method: 'full' } }],
    os: { type: 'linux', id: 'debian', version: '10.7' },
    accounts: { root: { password: 'set' } },
    files: { fstab: { entries: [{ resolves: true }] } },
  })
  t.same(steps, ['container, disk and file systems', 'files of the guest', 'checks of file systems', 'document'])
  for (const source of document.collection.sources) {
    t.match(source, { collector: 'imagegate', basis: 'observed', at: '2026-11-20T09:30:00.000Z' })
  }
  t.notOk(JSON.stringify(document).includes(canary), 'no hash')
  t.notOk(JSON.stringify(document).includes('canary'))
  t.equal(parsed(await collectImage(raw, { digest: true })).factsDigest, factsDigest, 'the same facts every time')
  const qcow2 = await collectImage(asQcow2(raw, join(folder, 'disk.qcow2')))
  t.equal(inner(qcow2), inner(document), 'the same in another container')
})

t.test('each value has the source that gave it', { skip }, async (t) => {
  const document = await collectImage(smallImage(folder, 'sources.raw'))
  const methodOf = (pointer: string) => {
    const stated = document.collection.sources.flatMap(({ pointers, method }) =>
      pointers.map((one) => [one, method] as const),
    )
    const above = stated.filter(([one]) => one === '' || pointer === one || pointer.startsWith(`${one}/`))
    return above.toSorted(([a], [b]) => b.length - a.length)[0]?.[1]
  }
  t.match(methodOf('/volumes/0/features/0'), /tune2fs/)
  t.match(methodOf('/volumes/0/mountPoint'), /fstab/)
  t.match(methodOf('/disk/partitions/0/startBytes'), /sfdisk/)
  t.match(methodOf('/disk/partitions/0/role'), /fstab/)
  t.match(methodOf('/image/format'), /container/)
  const told = document.collection.missing?.map(({ pointer, code }) => `${pointer} ${code}`) ?? []
  t.equal(new Set(told).size, told.length, 'nothing is told twice')
})

t.test('a string that looks like a secret loses one fact, not the document', { skip }, async (t) => {
  const files = { ...littleDebian, '/usr/lib/os-release': `ID=debian\nVERSION_ID="10"\nNAME="${canary}"\n` }
  const document = await collectImage(smallImage(folder, 'secret.raw', { files, label: '$6$abcdefgh12345' }))
  parsed(document)
  t.notMatch(JSON.stringify(document), /\$6\$/)
  t.match(document, { os: { id: 'debian' }, volumes: [{ fileSystem: 'ext4', role: 'root' }] })
  t.equal(document.volumes?.[0]?.label, undefined)
  t.equal(codesOf(document).get('/volumes/0/label'), 'withheld')
})

t.test('hostile strings are kept as they are, escaped by whoever shows them', { skip }, async (t) => {
  const name = '\u001b[2J\u202e<script>`id`$(reboot)'
  const files = { ...littleDebian, '/usr/lib/os-release': `ID=debian\nVERSION_ID="10"\nNAME='${name}'\n` }
  const document = await collectImage(smallImage(folder, 'hostile.raw', { files }))
  parsed(document)
  t.equal(document.os?.name, name)
})

t.test('without any program the container is still told, and which package is missing', { skip }, async (t) => {
  const empty = join(folder, 'no-programs')
  mkdirSync(empty)
  const document = await collectImage(smallImage(folder, 'bare.raw'), { toolFolders: [empty] })
  parsed(document)
  t.match(document.image, { format: 'raw', container: { backingFile: false } })
  t.equal(document.os, undefined)
  t.equal(codesOf(document).get('/os'), 'tool-missing')
  t.match(document.collection.missing?.map(({ reason }) => reason).join('\n'), /Debian package/)
})

t.test('one program that is missing takes its own facts along and no others', { skip }, async (t) => {
  const some = join(folder, 'some-programs')
  mkdirSync(some)
  for (const name of ['sfdisk', 'blkid', 'prlimit', 'setpriv', 'tune2fs', 'e2fsck', 'bwrap', 'nsenter', 'qemu-img']) {
    const path = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].map((one) => join(one, name)).find((one) => existsSync(one))
    if (path !== undefined) symlinkSync(path, join(some, name))
  }
  const document = await collectImage(smallImage(folder, 'some.raw'), { toolFolders: [some] })
  parsed(document)
  t.match(document, { disk: { partitionTable: 'mbr' }, volumes: [{ fileSystem: 'ext4', check: { result: 'clean' } }] })
  t.equal(document.os, undefined)
  t.match(
    document.collection.missing?.find(({ pointer }) => pointer === '/os'),
    { code: 'tool-missing', reason: /e2fsprogs/ },
  )
})

t.test('what is no disk ends with its reason', { skip }, async (t) => {
  const raw = smallImage(folder, 'damage.raw')
  const qcow2 = asQcow2(raw, join(folder, 'damage.qcow2'))
  const files: Readonly<Record<string, string>> = {
    random: overwritten(raw, join(folder, 'random'), 0, randomBytes(34 * 1_048_576)),
    zeros: overwritten(raw, join(folder, 'zeros'), 0, Buffer.alloc(34 * 1_048_576)),
    'no superblock': overwritten(raw, join(folder, 'no-superblock'), 1_048_576, Buffer.alloc(65_536)),
    'random superblock': overwritten(raw, join(folder, 'random-superblock'), 1_048_576 + 1024, randomBytes(1024)),
    'backing file': overwritten(qcow2, join(folder, 'backing'), 8, Buffer.from([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 10])),
    'nothing in it': join(folder, 'empty'),
    truncated: overwritten(qcow2, join(folder, 'truncated'), 0, Buffer.alloc(0)),
  }
  writeFileSync(files['nothing in it'] ?? '', '')
  truncateSync(files['truncated'] ?? '', 100_000)
  for (const [name, file] of Object.entries(files)) {
    const before = digestOf(file)
    const document = await collectImage(file, { seconds: 60 })
    parsed(document)
    t.equal(digestOf(file), before, `${name}: not written`)
    t.equal(document.os, undefined, name)
    const reason = document.collection.missing?.find(({ pointer }) => pointer === '/os')
    t.ok(reason !== undefined && reason.reason.length > 10, `${name}: ${reason?.code}: ${reason?.reason}`)
  }
})

t.test('what cannot be read is an error of its own', async (t) => {
  for (const file of [join(folder, 'none'), folder, '/dev/null']) {
    await t.rejects(collectImage(file), { code: 'FILE_UNREADABLE' }, file)
  }
})

t.test('a file that is written to meanwhile gives no facts', { skip }, async (t) => {
  const raw = smallImage(folder, 'moving.raw')
  const onStep = (step: string) => {
    if (step === 'files of the guest') appendFileSync(raw, 'x')
  }
  await t.rejects(collectImage(raw, { onStep }), { code: 'IMAGE_CHANGED', message: /written to/ })
})

t.test('the signal ends it, and nothing stays behind', { skip }, async (t) => {
  const raw = smallImage(folder, 'stopped.raw')
  const temporary = join(folder, 'temporary')
  mkdirSync(temporary, { mode: 0o755 })
  const { TMPDIR } = process.env
  process.env['TMPDIR'] = temporary
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = TMPDIR
  })
  for (const at of ['container, disk and file systems', 'files of the guest']) {
    const controller = new AbortController()
    const onStep = (step: string) => {
      if (step === at) setTimeout(() => controller.abort(new Error('stop')), 5)
    }
    await t.rejects(collectImage(raw, { signal: controller.signal, onStep }), /stop/)
  }
  const already = AbortSignal.abort(new Error('early'))
  await t.rejects(collectImage(raw, { signal: already }), /early/)
  t.same(readdirSync(temporary), [], 'no folder is left')
})

t.test('when the time is over the container is still told', { skip }, async (t) => {
  const raw = smallImage(folder, 'late.raw')
  const document = await collectImage(raw, { seconds: 0.001 })
  parsed(document)
  t.equal(document.image?.format, 'raw')
  t.equal(document.os, undefined)
  t.equal(codesOf(document).get('/os'), 'timed-out')
})
