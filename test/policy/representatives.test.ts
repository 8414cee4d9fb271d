import t from 'tap'
import { operator } from '../../server/evaluation/operators.ts'
import { type FactType, pointerType } from '../../server/policy/fact-types.ts'
import { allows, type Compared, representatives } from '../../server/policy/representatives.ts'
import { count, random, seed } from '../support/long.ts'

const next = random(seed)
const upTo = (limit: number) => Math.floor(next() * limit)
const pick = <T>(values: readonly [T, ...T[]]): T => values[upTo(values.length)] ?? values[0]

function typeAt(pointer: string): FactType {
  const type = pointerType(pointer)
  if (type === undefined) throw new Error(pointer)
  return type
}

const version = () => Array.from({ length: 1 + upTo(4) }, () => upTo(4)).join('.')
const word = () => pick(['debian', 'centos', 'coreos', 'alinux', 'x'])
const orders = ['lessThan', 'lessThanInclusive', 'greaterThan', 'greaterThanInclusive'] as const

/** A kind of fact: its place, a value that it may have, and a comparison of it. */
interface Kind {
  readonly pointer: string
  value(): unknown
  compared(): Compared
}

const kinds: readonly [Kind, ...Kind[]] = [
  {
    pointer: '/os/windows/build',
    value: () => upTo(14),
    compared: () => ({ operator: pick(['equal', 'notEqual', ...orders]), value: upTo(12) }),
  },
  {
    pointer: '/remoteAccess/rdp/port',
    value: () => 1 + upTo(9),
    compared: () => ({ operator: pick(['in', 'notIn']), value: [upTo(8), upTo(8)] }),
  },
  { pointer: '/os/id', value: word, compared: () => ({ operator: pick(['equal', 'notEqual']), value: word() }) },
  {
    pointer: '/image/format',
    value: () => pick(['raw', 'qcow2', 'vhd', 'iso', 'vdi']),
    compared: () => ({ operator: pick(['in', 'notIn']), value: [pick(['raw', 'qcow2']), pick(['vhd', 'iso'])] }),
  },
  {
    pointer: '/os/version',
    value: version,
    compared: () =>
      next() < 0.5
        ? { operator: pick(['version:equal', 'equal', ...orders.map((order) => `version:${order}`)]), value: version() }
        : next() < 0.5
          ? { operator: pick(['major:equal', ...orders.map((order) => `major:${order}`)]), value: upTo(4) }
          : { operator: pick(['major:in', 'major:notIn']), value: [upTo(4), upTo(4)] },
  },
  {
    pointer: '/remoteAccess/ssh/ports',
    value: () => Array.from({ length: upTo(4) }, () => 20 + upTo(4)),
    compared: () => ({ operator: pick(['contains', 'doesNotContain']), value: 20 + upTo(4) }),
  },
]

function outcomes(value: unknown, compared: readonly Compared[]): string {
  return compared.map((one) => (operator(one.operator)(value, one.value) ? '1' : '0')).join('')
}

t.test('whatever value a fact has, a representative compares the same with every constant', async (t) => {
  t.comment(`seed ${seed}`)
  const rounds = count(20_000, 2_000)
  const seen = new Set<string>()
  for (let round = 0; round < rounds; round += 1) {
    const kind = pick(kinds)
    const type = typeAt(kind.pointer)
    const compared = Array.from({ length: 1 + upTo(4) }, () => kind.compared())
    const values = representatives(type, compared)
    const value = kind.value()
    const wanted = outcomes(value, compared)
    const same = values?.some((one) => one !== undefined && outcomes(one, compared) === wanted)
    if (!same) t.fail(`${kind.pointer}: no representative is like ${JSON.stringify(value)}`, { compared, values, seed })
    seen.add(`${kind.pointer} ${wanted.includes('1')} ${wanted.includes('0')}`)
  }
  t.ok(seen.size >= kinds.length * 3, 'comparisons came out both ways for every kind of fact')
})

t.test('representatives begin with absence, and the schema allows the others', async (t) => {
  for (let round = 0; round < 500; round += 1) {
    const kind = pick(kinds)
    const type = typeAt(kind.pointer)
    const [absent, ...values] = representatives(type, [kind.compared(), kind.compared()]) ?? []
    t.equal(absent, undefined)
    for (const value of values) if (!allows(type, value)) t.fail(`${kind.pointer}: ${JSON.stringify(value)}`)
  }
})

t.test('facts that are compared with one another can all differ on either side of a constant', async (t) => {
  const compared = [{ operator: 'equal', value: 100 }]
  const values = representatives(typeAt('/os/windows/build'), compared, 3) ?? []
  t.equal(values.filter((value) => typeof value === 'number' && value < 100).length, 3)
  t.equal(values.filter((value) => typeof value === 'number' && value > 100).length, 3)
})

t.test('a list that is compared with too many constants has none, rather than too many', async (t) => {
  const many = Array.from({ length: 11 }, (_, index) => ({ operator: 'contains', value: index + 1 }))
  t.equal(representatives(typeAt('/remoteAccess/ssh/ports'), many), undefined)
})
