import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import {
  type ChainEntry,
  checkSignature,
  emptyHead,
  faultOfProof,
  linkOf,
  makeProof,
  maxSegment,
  nextEntry,
  segmentRoot,
  signCheckpoint,
} from '../../server/audit/chain.ts'
import { merklePath, merkleRoot, pathSides, rootOfPath } from '../../server/audit/merkle.ts'
import { sha256 } from '../../server/digest.ts'
import { keyName } from '../../server/policy/bundle-key.ts'
import { matches, schema } from '../../server/schemas.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const other = generateKeyPairSync('ed25519')
const at = '2026-11-25T09:30:00.000Z'
const verdictText = (sequence: number) => `{"verdict":${sequence}}`
const verdictId = (sequence: number) => `01939c5e-7f4e-7cc2-9d5e-${sequence.toString(16).padStart(12, '0')}`

function chainOf(length: number, tenant = 'default'): readonly ChainEntry[] {
  const entries: ChainEntry[] = []
  for (let sequence = 1; sequence <= length; sequence += 1) {
    const head = entries.at(-1) ?? emptyHead
    entries.push(nextEntry(tenant, head, verdictId(sequence), sha256(verdictText(sequence))))
  }
  return entries
}

function sealed(length: number, from = 1) {
  const entries = chainOf(length)
  const links = entries.slice(from - 1).map(({ link }) => link)
  return { entries, links, checkpoint: signCheckpoint({ tenant: 'default', from, links }, at, privateKey) }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

t.test('a Merkle tree has the roots of the reference implementation of RFC 6962', async (t) => {
  const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
  const roots = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]
  for (const [index, root] of roots.entries()) t.equal(merkleRoot(leaves.slice(0, index + 1)), root)
  t.throws(() => merkleRoot([]), RangeError)
})

t.test('the path of every leaf leads to the root, from its own place and leaf alone', async (t) => {
  const leavesAndIndex = fc
    .uniqueArray(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 70, selector: hex })
    .map((leaves) => leaves.map(hex))
    .chain((leaves) => fc.tuple(fc.constant(leaves), fc.nat(leaves.length - 1), fc.nat(leaves.length - 1)))
  fc.assert(
    fc.property(leavesAndIndex, ([leaves, index, another]) => {
      const root = merkleRoot(leaves)
      const path = merklePath(leaves, index)
      const leaf = leaves[index] ?? ''
      const wrong = leaves[another] ?? ''
      if (rootOfPath(leaf, path) !== root) return false
      if (index !== another && rootOfPath(wrong, path) === root) return false
      const sides = path.map(({ side }) => side)
      if (sides.join() !== pathSides(index, leaves.length).join()) return false
      return index === another || sides.join() !== pathSides(another, leaves.length).join()
    }),
    { seed: 5, numRuns: 500 },
  )
  t.equal(pathSides(0, maxSegment).length, 12, 'the longest path fits the schema')
})

t.test('a link is the digest of the canonical entry, and changes with every member', async (t) => {
  const entry = {
    tenant: 'a',
    sequence: 7,
    verdictId: verdictId(7),
    recordDigest: sha256('x'),
    previousLink: sha256('y'),
  }
  t.equal(
    linkOf(entry),
    sha256(
      `{"previousLink":"${sha256('y')}","recordDigest":"${sha256('x')}","schema":"imagegate.link/1","sequence":7,"tenant":"a","verdictId":"${verdictId(7)}"}`,
    ),
  )
  t.equal(linkOf(entry), 'sha256:71eb1fe849bb7a5d9ab09995c25177e8830505a6be7cfaaa554681924927dbcf')
  const changes = [
    { tenant: 'b' },
    { sequence: 8 },
    { verdictId: verdictId(8) },
    { recordDigest: sha256('z') },
    { previousLink: sha256('z') },
  ]
  t.equal(new Set([entry, ...changes.map((change) => ({ ...entry, ...change }))].map(linkOf)).size, 6)
})

t.test('a chain counts from 1, and each entry names the link before', async (t) => {
  const [first, second] = chainOf(2)
  t.equal(first?.sequence, 1)
  t.equal(first?.previousLink, `sha256:${'0'.repeat(64)}`)
  t.equal(second?.sequence, 2)
  t.equal(second?.previousLink, first?.link)
})

t.test('a checkpoint is valid under the key that signed it, and changes with every member', async (t) => {
  const { checkpoint, links } = sealed(12, 5)
  t.ok(matches('checkpoint', checkpoint))
  t.same([checkpoint.from, checkpoint.sequence], [5, 12])
  t.equal(checkpoint.link, links.at(-1))
  t.equal(checkpoint.key, keyName(publicKey))
  t.equal(checkSignature(checkpoint, [other.publicKey, publicKey]), 'valid', 'the key is found by its name')
  t.equal(checkSignature(checkpoint, [other.publicKey]), 'key unknown')
  const changes = [
    { tenant: 'b' },
    { from: 4 },
    { sequence: 13 },
    { link: sha256('z') },
    { root: sha256('z') },
    { at: '2026-11-25T09:30:00.001Z' },
    {
      signature:
        `A${checkpoint.signature.slice(1)}` === checkpoint.signature ? 'B' : `A${checkpoint.signature.slice(1)}`,
    },
  ]
  for (const change of changes) {
    t.equal(checkSignature({ ...checkpoint, ...change }, [publicKey]), 'invalid', Object.keys(change).join())
  }
  const renamed = { ...checkpoint, key: keyName(other.publicKey) }
  t.equal(checkSignature(renamed, [publicKey, other.publicKey]), 'invalid', 'the name of the key is signed too')
})

t.test('a second text of the same signature is not the checkpoint', async (t) => {
  const { checkpoint } = sealed(3)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const last = alphabet.indexOf(checkpoint.signature.charAt(85))
  const signature = `${checkpoint.signature.slice(0, 85)}${alphabet[last + 1]}==`
  t.same(Buffer.from(signature, 'base64'), Buffer.from(checkpoint.signature, 'base64'))
  t.equal(checkSignature({ ...checkpoint, signature }, [publicKey]), 'invalid')
})

t.test('a segment has 1 to 4096 verdicts', async (t) => {
  const links = Array.from({ length: maxSegment + 1 }, (_, index) => sha256(String(index)))
  t.throws(() => signCheckpoint({ tenant: 'a', from: 1, links: [] }, at, privateKey), RangeError)
  t.throws(() => signCheckpoint({ tenant: 'a', from: 1, links }, at, privateKey), RangeError)
  const checkpoint = signCheckpoint({ tenant: 'a', from: 1, links: links.slice(1) }, at, privateKey)
  t.equal(checkpoint.root, segmentRoot(links.slice(1)))
})

t.test('the proof of every entry holds, with the verdict that was answered and no other', async (t) => {
  for (const [length, from] of [
    [1, 1],
    [2, 1],
    [9, 3],
    [40, 8],
  ] as const) {
    const { entries, links, checkpoint } = sealed(length, from)
    for (const entry of entries.slice(from - 1)) {
      const proof = makeProof(entry, links, checkpoint)
      t.ok(matches('proof', proof))
      t.equal(faultOfProof(proof, [publicKey], verdictText(entry.sequence)), undefined)
      t.match(faultOfProof(proof, [publicKey], verdictText(entry.sequence + 1)), /^The verdict has the digest/)
      t.match(faultOfProof(proof, [other.publicKey]), /key .* which was not given/)
    }
  }
})

t.test('a proof in which anything was changed does not hold', async (t) => {
  const { entries, links, checkpoint } = sealed(21, 6)
  const [before, entry] = entries.slice(10)
  if (before === undefined || entry === undefined) throw new Error('The chain is too short.')
  const proof = makeProof(entry, links, checkpoint)
  const forged = nextEntry(
    'default',
    { sequence: entry.sequence - 1, link: entry.previousLink },
    entry.verdictId,
    sha256('forged'),
  )
  const foreign = signCheckpoint({ tenant: 'default', from: 6, links }, at, other.privateKey)
  const [step, ...rest] = proof.path
  const cases: readonly (readonly [string, typeof proof, RegExp])[] = [
    ['a digest', { ...proof, entry: { ...entry, recordDigest: sha256('forged') } }, /link of the entry/],
    ['an entry with its link made again', { ...proof, entry: forged }, /does not lead/],
    ["another's entry", { ...proof, entry: before }, /not that of the entry's place/],
    ["another's path", { ...proof, path: makeProof(before, links, checkpoint).path }, /not that of the entry's place/],
    [
      'a hash of the path',
      { ...proof, path: [{ side: step?.side ?? 'left', hash: sha256('z') }, ...rest] },
      /does not lead/,
    ],
    ['a shorter path', { ...proof, path: rest }, /not that of the entry's place/],
    ["the checkpoint's root", { ...proof, checkpoint: { ...checkpoint, root: sha256('z') } }, /does not lead/],
    [
      "the checkpoint's time",
      { ...proof, checkpoint: { ...checkpoint, at: '2025-01-01T00:00:00.000Z' } },
      /signature is not/,
    ],
    ["a stranger's checkpoint", { ...proof, checkpoint: foreign }, /which was not given/],
    [
      'a checkpoint under a name that is not its own',
      { ...proof, checkpoint: { ...foreign, key: checkpoint.key } },
      /signature is not/,
    ],
    ['an earlier checkpoint', { ...proof, checkpoint: { ...checkpoint, from: 1, sequence: 5 } }, /covers 1 to 5/],
    ["another tenant's checkpoint", { ...proof, checkpoint: { ...checkpoint, tenant: 'b' } }, /two tenants/],
  ]
  for (const [what, changed, expected] of cases) t.match(faultOfProof(changed, [publicKey]), expected, what)
  const last = entries.at(-1) ?? entry
  const ended = makeProof(last, links, { ...checkpoint, link: sha256('z') })
  t.match(faultOfProof(ended, [publicKey]), /ends in another link/)
})

t.test('a proof carries a checkpoint of the same shape as the document of its own', async (t) => {
  const { $schema: _dialect, $id: _id, ...alone } = schema('checkpoint')
  const { $defs: parts } = schema('proof')
  t.same(parts, { ...Object(parts), checkpoint: alone })
})
