import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { Header } from 'tar'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import { bundleFolder } from '../../server/authoring/bundle.ts'
import { ImagegateError } from '../../server/errors.ts'
import { makeBundle, readBundle } from '../../server/policy/bundle.ts'
import { type ArchiveFile, packFiles, unpackFiles } from '../../server/policy/bundle-tar.ts'
import { LivePolicies } from '../../server/policy/live.ts'
import { lockFile, shippedPolicies } from '../../server/policy/load.ts'
import { loadSource } from '../../server/policy/load-source.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const other = generateKeyPairSync('ed25519')
const lock = await readFile(join(shippedPolicies, lockFile), 'utf8')
const unidentified = await readFile(join(shippedPolicies, 'unidentified/1.0.0.yaml'), 'utf8')
const texts = new Map([
  [lockFile, lock],
  ['unidentified/1.0.0.yaml', unidentified],
])
const good = makeBundle(texts, 7, privateKey)
const files = unpackFiles(good, () => undefined)

function pem(key: KeyObject): string {
  return String(key.export({ type: 'spki', format: 'pem' }))
}

function problemOf(work: () => unknown): ImagegateError {
  try {
    work()
  } catch (error) {
    if (error instanceof ImagegateError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof ImagegateError) return error.code
    throw error
  }
  return 'no error'
}

/** The good bundle with its files changed and packed again. */
function repacked(change: (files: readonly ArchiveFile[]) => readonly ArchiveFile[]): Buffer {
  return packFiles(change(files))
}

const refusedAs = (bytes: Buffer) => problemOf(() => readBundle(bytes, publicKey))

t.test('a bundle is read as it was made, and its name is that of its content and key', async (t) => {
  const bundle = readBundle(good, publicKey)
  t.same([...bundle.files], [...texts].sort())
  t.match(bundle, { sequence: 7, digest: /^sha256:/, signedBy: /^sha256:/ })
  t.same(makeBundle(new Map([...texts].reverse()), 7, privateKey), good, 'the order of the files does not matter')
  t.not(readBundle(makeBundle(texts, 8, privateKey), publicKey).digest, bundle.digest)
})

t.test('two folders at two times give the same bytes, in which nothing of the machine stands', async (t) => {
  const make = async (folder: string) => {
    await cp(shippedPolicies, folder, { recursive: true })
    return (await bundleFolder(folder, privateKey)).bytes
  }
  const first = await make(join(t.testdir({}), 'a'))
  const again = await make(join(t.testdirName, 'b'))
  t.ok(first.equals(again))
  const names = unpackFiles(first, () => undefined).map(({ path }) => path)
  t.same(names, [
    'manifest.json',
    'manifest.sig',
    'linux/1.0.0.yaml',
    'nonstandard-linux/1.0.0.yaml',
    'policies.lock.json',
    'requirements.yaml',
    'unidentified/1.0.0.yaml',
    'windows-server/1.0.0.yaml',
  ])
  for (let at = 0; at < first.length; ) {
    const { path, size = 0, mtime, uid, gid, uname, gname, mode, nullBlock } = new Header(first, at)
    if (nullBlock) break
    t.same([mtime?.getTime(), uid, gid, uname, gname, mode], [0, 0, 0, '', '', 0o644], path ?? '')
    at += 512 + Math.ceil(size / 512) * 512
  }
  t.equal(readBundle(first, publicKey).sequence, 4, 'the lock has four releases')
})

t.test('a signature by another key, over another manifest, or spelt otherwise is refused', async (t) => {
  t.equal(problemOf(() => readBundle(good, other.publicKey)).code, 'BUNDLE_SIGNATURE_INVALID')
  const edited = repacked((all) =>
    all.map(({ path, bytes }) =>
      path === 'manifest.json' ? { path, bytes: Buffer.from(bytes.toString().replace(':7}', ':8}')) } : { path, bytes },
    ),
  )
  t.not(edited.equals(good), true)
  t.equal(refusedAs(edited).code, 'BUNDLE_SIGNATURE_INVALID')
  for (const spelling of ['', 'AAAA\n', (text: string) => `${text} `, (text: string) => text.replace('\n', '')]) {
    const changed = repacked((all) =>
      all.map(({ path, bytes }) => {
        if (path !== 'manifest.sig') return { path, bytes }
        return { path, bytes: Buffer.from(typeof spelling === 'string' ? spelling : spelling(bytes.toString())) }
      }),
    )
    t.equal(refusedAs(changed).code, 'BUNDLE_SIGNATURE_INVALID')
  }
})

t.test('a file that is not the one that was signed is refused by name', async (t) => {
  const changed = repacked((all) =>
    all.map(({ path, bytes }) =>
      path.endsWith('.yaml')
        ? { path, bytes: Buffer.from(bytes.toString().replace('block', 'warn ')) }
        : { path, bytes },
    ),
  )
  t.match(refusedAs(changed), { code: 'BUNDLE_CHANGED', problems: [{ file: 'unidentified/1.0.0.yaml' }] })
})

t.test('a missing, an extra and a repeated file are refused', async (t) => {
  t.match(refusedAs(repacked((all) => all.slice(0, -1))), {
    code: 'BUNDLE_INVALID',
    problems: [{ file: 'unidentified/1.0.0.yaml', message: 'It is missing in the bundle.' }],
  })
  const extra = { path: 'linux/9.9.9.yaml', bytes: Buffer.from('x') }
  t.match(refusedAs(repacked((all) => [...all, extra])), {
    code: 'BUNDLE_INVALID',
    problems: [{ file: 'linux/9.9.9.yaml', message: 'The manifest does not name it.' }],
  })
  t.match(refusedAs(repacked((all) => [...all, ...all.slice(-1)])), { code: 'BUNDLE_INVALID', message: /twice/ })
  const withoutLock = makeBundle(new Map([['unidentified/1.0.0.yaml', unidentified]]), 7, privateKey)
  t.match(refusedAs(withoutLock), { code: 'BUNDLE_INVALID', problems: [{ file: lockFile }] })
  t.equal(refusedAs(repacked((all) => all.slice(1))).code, 'BUNDLE_INVALID')
  t.equal(refusedAs(repacked(() => [])).code, 'BUNDLE_INVALID')
})

t.test('a path that leads elsewhere is refused, made or read', async (t) => {
  for (const path of [
    '../evil.yaml',
    '/etc/passwd',
    'linux/../../1.0.0.yaml',
    'linux/1.0.0.yaml/',
    'tests/a.yaml',
    'a\\b',
  ]) {
    const bytes = Buffer.from('x')
    t.equal(refusedAs(repacked((all) => [...all, { path, bytes }])).code, 'BUNDLE_INVALID', path)
    t.equal(problemOf(() => makeBundle(new Map([[path, 'x']]), 1, privateKey)).code, 'BUNDLE_INVALID', path)
  }
})

/** An archive with one header of any kind behind the signed files. */
function withHeader(head: ConstructorParameters<typeof Header>[0]): Buffer {
  const block = Buffer.alloc(512)
  new Header(head).encode(block)
  return Buffer.concat([good.subarray(0, good.length - 1024), block, Buffer.alloc(1024)])
}

t.test('links, folders, extensions and sizes above the limit are refused before their bytes are read', async (t) => {
  const owner = { mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) }
  for (const type of ['SymbolicLink', 'Link', 'Directory', 'ExtendedHeader', 'NextFileHasLongPath', 'FIFO'] as const) {
    const path = 'linux/1.0.0.yaml'
    t.match(refusedAs(withHeader({ ...owner, path, type, size: 0, linkpath: '/etc/passwd' })), {
      code: 'BUNDLE_INVALID',
      message: /no.? .*plain file|not a plain file/,
    })
  }
  const big = withHeader({ ...owner, path: 'linux/1.0.0.yaml', type: 'File', size: 5 << 20 })
  t.match(refusedAs(big), { code: 'BUNDLE_INVALID', message: /at most 4194304/ })
  t.equal(problemOf(() => makeBundle(new Map([[lockFile, 'x'.repeat(5 << 20)]]), 1, privateKey)).code, 'BUNDLE_INVALID')
})

t.test('bytes that no bundle has are refused wherever they hide', async (t) => {
  const behind = Buffer.concat([good, Buffer.alloc(512, 1)])
  const padded = Buffer.from(good)
  const manifest = files[0]?.bytes.length ?? 0
  padded.write('hidden', 512 + manifest)
  const owned = Buffer.from(good)
  const head = new Header(owned, 0)
  head.uid = 1000
  head.encode(owned, 0)
  for (const bytes of [
    behind,
    padded,
    owned,
    Buffer.alloc(0),
    Buffer.from('no archive at all'),
    Buffer.alloc(1024, 7),
  ]) {
    t.equal(refusedAs(bytes).code, 'BUNDLE_INVALID')
  }
  for (let cut = 0; cut < good.length; cut += 509) {
    const { code } = refusedAs(good.subarray(0, cut))
    if (code !== 'BUNDLE_INVALID') t.fail(`cut at ${cut}: ${code}`)
  }
  for (let at = 0; at < good.length; at += 97) {
    const flipped = Buffer.from(good)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    if (!refusedAs(flipped).code.startsWith('BUNDLE_')) t.fail(`byte ${at}`)
  }
})

t.test('a bundle older than one that was served is refused, at a reload and after a restart', async (t) => {
  const path = join(t.testdir({}), 'policies.tar')
  const put = async (sequence: number, key = privateKey) =>
    writeFile(path, (await bundleFolder(shippedPolicies, key, sequence)).bytes)
  const publicFile = `${path}.pem`
  await writeFile(publicFile, pem(publicKey))
  const source = { path, publicKey: publicFile }
  const log = { info: () => undefined, error: () => undefined }
  const file = join(t.testdirName, 'imagegate.db')
  const begin = async (store: Awaited<ReturnType<typeof openSqliteStore>>) =>
    LivePolicies.start(await loadSource(source), {
      load: () => loadSource(source),
      accept: (bundle) => store.acceptBundle(bundle),
      now: () => new Date(),
      log,
    })
  const store = await openSqliteStore({ file })
  await put(5)
  const live = await begin(store)
  t.equal(await live.reload(), 'unchanged', 'the same bundle is no rollback')
  await put(4)
  t.equal(await live.reload(), 'failed')
  t.equal(live.failure?.error.code, 'BUNDLE_ROLLBACK')
  await put(9, other.privateKey)
  t.equal(await live.reload(), 'failed')
  t.equal(live.failure?.error.code, 'BUNDLE_SIGNATURE_INVALID')
  await put(8)
  t.equal(await live.reload(), 'unchanged', 'the policies are the same, the sequence is recorded')
  t.equal(live.served.bundle?.sequence, 8)
  await store.close()

  const reopened = await openSqliteStore({ file })
  t.teardown(() => reopened.close())
  await put(7)
  t.equal(await codeOf(begin(reopened)), 'BUNDLE_ROLLBACK', 'a restart forgets nothing')
  const sameSequence = makeBundle(texts, 8, privateKey)
  const { digest, signedBy } = readBundle(sameSequence, publicKey)
  t.equal(
    await codeOf(reopened.acceptBundle({ sequence: 8, digest, signedBy })),
    'BUNDLE_ROLLBACK',
    'another of the same',
  )
  await put(8)
  t.equal((await begin(reopened)).served.bundle?.sequence, 8)
})

t.test('with a key no folder is served, and without one no file', async (t) => {
  const folder = t.testdir({ 'public.pem': pem(publicKey) })
  const source = { path: shippedPolicies, publicKey: join(folder, 'public.pem') }
  t.equal(await codeOf(loadSource(source)), 'BUNDLE_INVALID')
  const path = join(t.testdirName, 'policies.tar')
  await writeFile(path, good)
  t.equal(await codeOf(loadSource({ path })), 'CONFIG_INVALID')
  t.equal(await codeOf(loadSource({ ...source, path })), 'POLICY_CHANGED', 'a bundle is held against its own lock')
  t.equal(await codeOf(loadSource({ path, publicKey: join(t.testdirName, 'none.pem') })), 'FILE_UNREADABLE')
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const priv = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
  for (const text of ['no key', pem(ec.publicKey), priv]) {
    await writeFile(join(t.testdirName, 'bad.pem'), text)
    t.equal(await codeOf(loadSource({ path, publicKey: join(t.testdirName, 'bad.pem') })), 'KEY_INVALID')
  }
})
