// Evaluations of a year as a fleet might ask for them: number n always asks for the same, so that writing them can go on
// where it stopped.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { parseFacts } from '../../dist/facts/parse.js'
import { loadPolicies, readPolicyText, shippedPolicies } from '../../dist/policy/load.js'
import { findVersion } from '../../dist/policy/set.js'

/** The times that are written: a year of verdicts, a million of them when all are there. */
const [start, step] = [Date.parse('2025-11-25T00:00:00Z'), (365 * 86_400_000) / 1_000_000]

const timeOf = (n) => new Date(Math.floor(start + n * step))

function mix(state) {
  let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

/** Numbers between 0 and 1 that follow from a seed (splitmix32, begun where the seed's own hash says). */
function randomOf(seed) {
  let state = mix(seed ^ 0x1b873593)
  return () => {
    state = (state + 0x9e3779b9) | 0
    return mix(state) / 2 ** 32
  }
}

/** The first of a list most often, the last rarely. */
const skewed = (list, random) => list[Math.floor(list.length * random ** 3)]

/** By weights that need not add up to one. */
function weighted(pairs, random) {
  let left = random * pairs.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [value, weight] of pairs) {
    left -= weight
    if (left < 0) return value
  }
  return pairs[0][0]
}

const weights = {
  'linux/ready': 400,
  'linux/several-faults': 90,
  'linux/not-listed': 15,
  'linux/coreos-ready': 10,
  'linux/freebsd-ready': 4,
  'windows-server/ready': 170,
  'windows-server/several-faults': 60,
  'windows-server/not-listed': 8,
  'nonstandard-linux/customized-ready': 60,
  'nonstandard-linux/customized-several-faults': 30,
  'nonstandard-linux/others-ready': 30,
  'nonstandard-linux/others-several-faults': 20,
  'unidentified/vmdk': 12,
  'unidentified/unreadable-system': 6,
}

/** What can be changed in a document so that it stays one: facts left out, answers turned round, numbers made small. */
function mutationsOf(text, random) {
  const found = []
  const offer = (path, change) => {
    const document = JSON.parse(text)
    change(
      path.slice(0, -1).reduce((at, key) => at[key], document),
      path.at(-1),
    )
    try {
      parseFacts(Buffer.from(JSON.stringify(document)))
      found.push({ path, change })
    } catch {
      // The schema wants it as it was.
    }
  }
  const walk = (value, path) => {
    if (path.length > 0 && path[0] !== 'image') offer(path, (at, key) => delete at[key])
    if (typeof value === 'boolean') offer(path, (at, key) => (at[key] = !at[key]))
    if (typeof value === 'number') offer(path, (at, key) => (at[key] = 1))
    if (typeof value === 'object') for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key])
  }
  const { schema: _schema, collection: _collection, ...facts } = JSON.parse(text)
  walk(facts, [])
  return found
    .map((one) => [random(), one])
    .sort(([one], [other]) => one - other)
    .map(([, one]) => one)
}

function readSeeds() {
  const examples = new URL('../../examples/', import.meta.url)
  const names = readdirSync(examples, { recursive: true }).filter((name) => name.endsWith('.json'))
  const seeds = names.sort().map((file, index) => {
    const name = file.slice(0, -'.json'.length)
    if (weights[name] === undefined) throw new Error(`The example ${name} has no weight.`)
    const text = readFileSync(new URL(file, examples), 'utf8')
    const importAs = /nonstandard-linux\/(others|customized)/.exec(name)?.[1]
    const given = importAs === undefined ? {} : { importAs: `${importAs}-linux` }
    return [{ name, text, given, mutations: mutationsOf(text, randomOf(index)) }, weights[name]]
  })
  return seeds
}

const seeds = readSeeds()
const distributions = ['ubuntu', 'centos', 'sles', 'redhat', 'opensuse', 'oraclelinux', 'fedora', 'euleros', 'gentoo']
const firstWords = [
  'web',
  'db',
  'cache',
  'gateway',
  'build',
  'Mail',
  'monitor',
  'batch',
  'edge',
  'ledger',
  'portal',
  'VPN',
]
const secondWords = ['prod', 'test', 'staging', 'web', 'base', 'customer', 'internal', 'backup', 'paris', 'archive']
const tenants = [
  ['default', 880],
  ['plant', 80],
  ['labs', 30],
  ['guests', 10],
]
const users = Array.from({ length: 400 }, (_, index) => `token:user-${index}`)

/** In one of 5003 image names, and in no other. */
const rareWord = 'zephyr'

/** One image of those that are evaluated again and again. */
function imageOf(m) {
  const random = randomOf(m ^ 0x5bd1e995)
  const seed = m === 0 ? seeds.find(([{ name }]) => name === 'linux/ready')[0] : weighted(seeds, random())
  const words = [skewed(firstWords, random()), m % 5003 === 7 ? rareWord : skewed(secondWords, random())]
  const name = m === 0 ? 'golden-debian.qcow2' : `${words.join('-')}-${m.toString(36)}.qcow2`
  return { seed, name, digest: `sha256:${createHash('sha256').update(`image ${m}`).digest('hex')}`, random }
}

function documentOf(n, random) {
  const drawn = random()
  // The golden image is evaluated every few hours; others are new, or are tried again while they are mended.
  const m = drawn < 0.002 ? 0 : drawn < 0.4 ? n + 1 : 1 + Math.max(0, n - Math.floor(5000 * random() ** 2))
  const { seed, name, digest, random: ofImage } = imageOf(m)
  const os = ofImage() < 0.3 && { id: skewed(distributions, ofImage()) }
  if (os) {
    os.version = `${skewed([18, 16, 20, 12, 14, 7, 8, 22, 24], ofImage())}.${Math.floor(ofImage() * 5)}`
  }
  const made = () => {
    const document = JSON.parse(seed.text)
    Object.assign(document.image, { name, digest })
    if (os && document.os?.type === 'linux') Object.assign(document.os, os)
    return document
  }
  const document = made()
  const changes = weighted(
    [
      [0, 50],
      [1, 25],
      [2, 15],
      [5, 8],
      [12, 2],
    ],
    random(),
  )
  for (let change = 0; change < changes; change += 1) {
    const mutation = skewed(seed.mutations, random())
    if (mutation === undefined) break
    const at = mutation.path.slice(0, -1).reduce((value, key) => value?.[key], document)
    if (at?.[mutation.path.at(-1)] !== undefined) mutation.change(at, mutation.path.at(-1))
  }
  return { facts: parsed(document) ?? parsed(made()), document, given: seed.given }
}

/** Undefined when changes that are each sound come to a document that is not. */
function parsed(document) {
  try {
    return parseFacts(Buffer.from(JSON.stringify(document)))
  } catch {
    return undefined
  }
}

function requestIdOf(n, random) {
  const batch = randomOf(n >> 4)() < 0.2
  const hex = createHash('sha256')
    .update(batch ? `batch ${n >> 4}` : `request ${n} ${random}`)
    .digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}

/** What evaluateAndRecord is asked for by number n, and when. */
function requestOf(n) {
  const random = randomOf(n)
  const { facts, document, given } = documentOf(n, random)
  const pinned = document.os?.type === 'linux' && given.importAs === undefined && random() < 0.003
  return {
    now: timeOf(n),
    request: {
      tenant: weighted(tenants, random()),
      submittedBy: {
        caller: weighted(
          [
            ['key:ci', 600],
            ['key:nightly', 200],
            ['key:portal', 100],
            [skewed(users, random()), 100],
          ],
          random(),
        ),
        requestId: requestIdOf(n, random()),
      },
      facts,
      given: pinned ? { ...given, policyVersion: '1.2.0' } : given,
      ...(random() < 0.05 && { idempotencyKey: `bench-${n}` }),
    },
  }
}

/** The shipped policies, one that comes into force half a year in, one that some ask for by its version, and a candidate. */
async function fleetPolicies() {
  const { versions } = await loadPolicies(shippedPolicies, { released: false })
  const next = (family, version, effectiveFrom, edit) => {
    const { text } = findVersion({ versions }, family, '1.0.0')
    const changed = edit(text)
      .replace('version: "1.0.0"', `version: "${version}"`)
      .replace(/^effectiveFrom: .*$/m, `effectiveFrom: "${effectiveFrom}"`)
    const { policy, problems } = readPolicyText(changed, `${family}/${version}.yaml`)
    if (policy === undefined) throw new Error(JSON.stringify(problems))
    return policy
  }
  const newerReleases = (text) => text.replace('value: [6, 7, 8, 9, 10]', 'value: [8, 9, 10, 11, 12]')
  return {
    policies: {
      versions: [
        ...versions,
        next('linux', '1.1.0', '2026-05-25T00:00:00Z', newerReleases),
        next('linux', '1.2.0', '2030-01-01T00:00:00Z', newerReleases),
      ].sort((one, other) => one.family.localeCompare(other.family)),
    },
    candidate: next('windows-server', '1.1.0', '2020-12-31T00:00:00Z', (text) =>
      text
        .replaceAll(/(fail|unknown): warn/g, '$1: block')
        .replaceAll('unknown: inform', 'unknown: warn')
        .replace('value: 8', 'value: 20'),
    ),
  }
}

export { fleetPolicies, rareWord, requestOf, timeOf }
