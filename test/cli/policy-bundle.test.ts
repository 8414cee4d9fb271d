import { generateKeyPairSync } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { example, imagegate, releasedPolicies } from './support.ts'

const folder = t.testdir({})
const policies = await releasedPolicies(join(folder, 'policies'))
const path = (name: string) => join(folder, name)
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
writeFileSync(path('key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
writeFileSync(path('public.pem'), publicKey.export({ type: 'spki', format: 'pem' }))
const stranger = generateKeyPairSync('ed25519').publicKey
writeFileSync(path('stranger.pem'), stranger.export({ type: 'spki', format: 'pem' }))
const bundle = path('policies.tar')
const make = (...more: string[]) =>
  imagegate(['policy', 'bundle', bundle, '--key', path('key.pem'), '--policies', policies, ...more])
const verify = (key: string, file = bundle, columns?: number) =>
  imagegate(['policy', 'bundle', file, '--verify', '--public-key', path(key)], columns === undefined ? {} : { columns })

t.test('a bundle is made twice with the same bytes, and verified', async (t) => {
  const made = await make()
  t.equal(made.code, 0, made.stderr)
  const told = JSON.parse(made.stdout)
  t.match(told, { file: bundle, result: 'written', sequence: 4, digest: /^sha256:/, signedBy: /^sha256:/ })
  const bytes = readFileSync(bundle)
  t.equal((await make()).code, 0)
  t.ok(readFileSync(bundle).equals(bytes))
  t.same(JSON.parse((await verify('public.pem')).stdout), { ...told, result: 'verified' })
  t.match((await verify('public.pem', bundle, 100)).stdout, /^verified: sequence 4\n {2}manifest +sha256:/)
  t.match(JSON.parse((await make('--sequence', '12')).stdout), { sequence: 12 })
})

t.test('what is refused exits with 1 and says which', async (t) => {
  const strange = await verify('stranger.pem')
  t.equal(strange.code, 1)
  t.match(strange.stderr, /BUNDLE_SIGNATURE_INVALID/)
  writeFileSync(path('cut.tar'), readFileSync(bundle).subarray(0, 5000))
  const cut = await verify('public.pem', path('cut.tar'))
  t.match([cut.code, cut.stderr], [1, /BUNDLE_INVALID/])
  appendFileSync(join(policies, 'linux/1.0.0.yaml'), '# changed\n')
  const before = readFileSync(bundle)
  const changed = await make()
  t.match([changed.code, changed.stderr], [1, /POLICY_CHANGED[\s\S]*linux\/1\.0\.0\.yaml/])
  t.ok(readFileSync(bundle).equals(before), 'nothing is written then')
})

t.test('what cannot run exits with 3 and says why', async (t) => {
  const cases: [string[], RegExp][] = [
    [['policy', 'bundle', bundle], /--key is needed/],
    [['policy', 'bundle', bundle, '--verify'], /--public-key/],
    [['policy', 'bundle', bundle, '--verify', '--public-key', path('public.pem'), '--key', 'x'], /neither --key/],
    [['policy', 'bundle', bundle, '--key', path('none.pem'), '--policies', policies], /FILE_UNREADABLE/],
    [['policy', 'bundle', bundle, '--key', path('public.pem'), '--policies', policies], /KEY_INVALID/],
    [['policy', 'bundle', bundle, '--key', path('key.pem'), '--sequence', '0'], /whole number/],
    [
      ['policy', 'bundle', path('no/such/folder.tar'), '--verify', '--public-key', path('public.pem')],
      /FILE_UNREADABLE/,
    ],
  ]
  for (const [args, expected] of cases) {
    const ran = await imagegate(args)
    t.match([ran.code, ran.stderr], [3, expected], args.join(' '))
  }
  t.notOk(existsSync(path('no')))
})

t.test('with a key configured, evaluate judges by the bundle alone', async (t) => {
  const environment = { IMAGEGATE_POLICIES: bundle, IMAGEGATE_POLICY_PUBLIC_KEY: path('public.pem') }
  const judged = await imagegate(['evaluate', example('linux/ready.json')], { environment })
  t.equal(judged.code, 0, judged.stderr)
  const strange = { ...environment, IMAGEGATE_POLICY_PUBLIC_KEY: path('stranger.pem') }
  const refused = await imagegate(['evaluate', example('linux/ready.json')], { environment: strange })
  t.match([refused.code, refused.stderr], [3, /BUNDLE_SIGNATURE_INVALID/])
  const unsigned = { ...environment, IMAGEGATE_POLICIES: policies }
  const folderRefused = await imagegate(['evaluate', example('linux/ready.json')], { environment: unsigned })
  t.match([folderRefused.code, folderRefused.stderr], [3, /BUNDLE_INVALID/])
})
