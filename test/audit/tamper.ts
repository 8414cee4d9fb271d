import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import { type ChainEntry, emptyHead, nextEntry, signCheckpoint } from '../../server/audit/chain.ts'
import { newIdentity } from '../../server/audit/identity.ts'
import { prepareImageText } from '../../server/audit/sqlite-insert.ts'
import type { VerdictRecord } from '../../server/audit/store.ts'
import { canonicalize, sha256 } from '../../server/digest.ts'
import { makeRecord } from './records.ts'
import {
  checkpointRow,
  choose,
  entries,
  insert,
  insertRecord,
  pick,
  type Row,
  randomRow,
  remove,
  removeVerdict,
  rowsOf,
  sealAnew,
  signAnew,
  sqliteTables,
  update,
  writeChain,
} from './tamper-rows.ts'

/** Where a problem is expected; without a sequence number for what is in no chain. */
export interface Place {
  readonly tenant: string
  readonly sequence?: number
}

/** What was done, and where the first problem may be told. */
export interface Tampering {
  readonly what: string
  readonly places: readonly Place[]
  /** Set when only the segment can be told, because the whole chain was made anew. */
  readonly anew?: true
}

/** What a tampering works with. */
export interface Crime {
  readonly db: Database
  readonly random: () => number
  /** The key that signs checkpoints; some attackers have it. */
  readonly key: KeyObject
}

/** What retention may lawfully change, and so nobody can tell from a crime. */
const lawful = ['removed_at', 'removal_reason']

const stranger = generateKeyPairSync('ed25519').privateKey

function sequenceOf(db: Database, tenant: string, verdict: string): Place {
  const row = db
    .prepare<[string, string], { sequence: number }>('SELECT sequence FROM chain WHERE tenant = ? AND verdict_id = ?')
    .get(tenant, verdict)
  return row === undefined ? { tenant } : { tenant, sequence: row.sequence }
}

function firstUse(db: Database, column: string, value: string, tenant?: string): Place[] {
  const rows = rowsOf(
    db,
    'verdicts',
    `${column} = ? AND tenant = coalesce(?, tenant) ORDER BY tenant, id LIMIT 1`,
    value,
    tenant ?? null,
  )
  return rows.map((row) => sequenceOf(db, String(row['tenant']), String(row['id'])))
}

/** Where the first problem about a row is expected. */
function placesOf(db: Database, table: string, row: Row): Place[] {
  const tenant = String(row['tenant'])
  if (table === 'daily_counts') return [{ tenant }]
  if (table === 'policy_bodies') return firstUse(db, 'policy_digest', String(row['digest']))
  if (table === 'fact_documents') return [...firstUse(db, 'document_digest', String(row['digest']), tenant), { tenant }]
  if (table === 'checkpoints') return [{ tenant, sequence: Number(row['sequence']) }]
  if (table === 'chain') {
    const sequence = Number(row['sequence'])
    const before = rowsOf(db, 'chain', 'tenant = ? AND sequence < ? ORDER BY sequence DESC LIMIT 1', tenant, sequence)
    // Behind the end of a chain the gap before it is the first; of the last entry nothing tells but its verdict.
    return [{ tenant, sequence }, { tenant, sequence: Number(before[0]?.['sequence'] ?? 0) + 1 }, { tenant }]
  }
  return [sequenceOf(db, tenant, String(row[table === 'verdicts' ? 'id' : 'verdict_id']))]
}

/** A text with one character changed. */
export function flipped(random: () => number, text: string): string {
  if (text === '') return 'x'
  const at = pick(random, text.length)
  const character = text[at] ?? ''
  const other = /[0-9a-e]/.test(character)
    ? String.fromCharCode(character.charCodeAt(0) + 1)
    : character === 'f'
      ? '0'
      : 'q'
  return text.slice(0, at) + (other === character ? 'r' : other) + text.slice(at + 1)
}

/** Another value of the same type: of another row, or a little different. */
function otherValue(
  crime: Crime,
  table: string,
  column: string,
  value: string | number | null,
): string | number | null {
  const { random } = crime
  if (typeof value === 'number') return value + choose(random, [-100, -2, -1, 1, 2, 100])
  const elsewhere = randomRow(crime, table)[column] ?? null
  if (elsewhere !== value && random() < 0.5) return elsewhere
  return value === null ? 'forged' : flipped(random, value)
}

function changeColumn(crime: Crime): Tampering {
  const { db, random } = crime
  const table = choose(random, Object.keys(sqliteTables))
  const row = randomRow(crime, table)
  const column = choose(
    random,
    Object.keys(row).filter((name) => !lawful.includes(name)),
  )
  const value = otherValue(crime, table, column, row[column] ?? null)
  const before = placesOf(db, table, row)
  update(db, table, row, { [column]: value })
  const after = placesOf(db, table, { ...row, [column]: value })
  return { what: `change ${table}.${column}`, places: [...before, ...after] }
}

function removeRow(crime: Crime): Tampering {
  const table = choose(crime.random, Object.keys(sqliteTables))
  const row = randomRow(crime, table)
  const places = placesOf(crime.db, table, row)
  remove(crime.db, table, row)
  return { what: `remove from ${table}`, places }
}

function forged(random: () => number, tenant: string): VerdictRecord {
  return makeRecord({ tenant, identity: newIdentity(), facts: `forged ${random()}`, outcome: 'ready' })
}

function insertRow(crime: Crime): Tampering {
  const { db, random } = crime
  const victim = randomRow(crime, 'verdicts')
  const tenant = String(victim['tenant'])
  const id = String(victim['id'])
  const place = sequenceOf(db, tenant, id)
  const kinds = {
    verdict() {
      insertRecord(db, forged(random, tenant))
      return [{ tenant }]
    },
    finding() {
      insert(db, 'findings', {
        tenant,
        rule: 'linux.forged',
        result: 'fail',
        verdict_id: id,
        severity: 'block',
        effect: 'block',
      })
      return [place]
    },
    'missing fact'() {
      insert(db, 'missing_facts', { tenant, pointer: '/forged', verdict_id: id })
      return [place]
    },
    'finding of no verdict'() {
      insert(db, 'findings', {
        tenant,
        rule: 'linux.forged',
        result: 'fail',
        verdict_id: newIdentity().id,
        severity: 'block',
        effect: 'block',
      })
      return [{ tenant }]
    },
    'image text'() {
      prepareImageText(db)(choose(random, [String(victim['image_name']), 'forged']), { tenant, id })
      return [place]
    },
    'image text elsewhere'() {
      insert(db, 'image_texts', { text: String(victim['image_name']), tenant, verdict_id: id })
      return [place]
    },
    'image text of no verdict'() {
      prepareImageText(db)('forged', { tenant, id: newIdentity().id })
      return [{ tenant }]
    },
    count() {
      insert(db, 'daily_counts', {
        tenant,
        result: 'fail',
        day: String(victim['recorded_at']).slice(0, 10),
        subject: 'linux.forged',
        family: 'linux',
        verdicts: 1,
      })
      return [{ tenant }]
    },
    document() {
      const body = canonicalize({ schema: 'imagegate.facts/1', image: { name: `forged ${random()}` } })
      insert(db, 'fact_documents', {
        tenant,
        digest: sha256(body),
        facts_digest: sha256(body),
        first_recorded_at: String(victim['recorded_at']),
        body,
      })
      return [{ tenant }]
    },
    unsealed() {
      insert(db, 'unsealed', { tenant, verdict_id: id, record_digest: String(victim['record_digest']) })
      return [place]
    },
    'entry numbered in'() {
      const list = entries(db, tenant)
      const at = pick(random, list.length)
      const record = forged(random, tenant)
      insertRecord(db, record)
      const head = list[at - 1] ?? emptyHead
      const entry = nextEntry(tenant, head, record.verdict.id, record.recordDigest)
      const later = list.slice(at).map((one) => ({ ...one, sequence: one.sequence + 1 }))
      writeChain(db, tenant, [...list.slice(0, at), entry, ...later])
      return [{ tenant, sequence: at + 1 }]
    },
  }
  const what = choose(random, Object.keys(kinds) as (keyof typeof kinds)[])
  return { what: `insert ${what}`, places: kinds[what]() }
}

function swapRows(crime: Crime): Tampering {
  const { db, random } = crime
  const tenant = String(randomRow(crime, 'verdicts')['tenant'])
  const list = entries(db, tenant)
  const [a, b] = [pick(random, list.length), pick(random, list.length)].sort((x, y) => x - y)
  const one = list[a ?? 0]
  const two = list[b ?? 0]
  if (one === undefined || two === undefined || one === two) return swapRows(crime)
  const places = [{ tenant, sequence: one.sequence }]
  const kinds = {
    entries() {
      const moved = list.map((entry) => {
        if (entry === one) return { ...two, sequence: one.sequence }
        return entry === two ? { ...one, sequence: two.sequence } : entry
      })
      writeChain(db, tenant, moved)
    },
    'what entries say'() {
      const moved = list.map((entry) => {
        const { verdictId, recordDigest } = entry === one ? two : one
        return entry === one || entry === two ? { ...entry, verdictId, recordDigest } : entry
      })
      writeChain(db, tenant, moved)
    },
    bodies() {
      const [left, right] = [one, two].map(
        ({ verdictId }) => rowsOf(db, 'verdicts', 'tenant = ? AND id = ?', tenant, verdictId)[0],
      )
      if (left === undefined || right === undefined) throw new Error('A verdict is not there.')
      const said = (row: Row): Row =>
        Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'tenant' && name !== 'id'))
      update(db, 'verdicts', left, said(right))
      update(db, 'verdicts', right, said(left))
    },
  }
  const what = choose(random, Object.keys(kinds) as (keyof typeof kinds)[])
  kinds[what]()
  return { what: `swap ${what}`, places }
}

function forgeCheckpoint(crime: Crime): Tampering {
  const { db, random, key } = crime
  const row = randomRow(crime, 'checkpoints')
  const tenant = String(row['tenant'])
  const from = Number(row['from_sequence'])
  const sequence = Number(row['sequence'])
  const links = entries(db, tenant)
    .slice(from - 1, sequence)
    .map(({ link }) => link)
  const places = [{ tenant, sequence }]
  const at = String(row['at'])
  if (random() < 0.5) {
    update(db, 'checkpoints', row, checkpointRow(signCheckpoint({ tenant, from, links }, at, stranger)))
    return { what: 'checkpoint of a stranger', places }
  }
  const other = signCheckpoint({ tenant, from, links }, '2020-01-01T00:00:00.000Z', key)
  update(db, 'checkpoints', row, checkpointRow(other))
  return { what: 'checkpoint signed again at another time', places, anew: true }
}

function firstCheckpoint(db: Database, tenant: string): Place[] {
  const rows = rowsOf(db, 'checkpoints', 'tenant = ? ORDER BY sequence LIMIT 1', tenant)
  return rows.map((row) => ({ tenant, sequence: Number(row['sequence']) }))
}

function dropAllCheckpoints({ db, random }: Crime): Tampering {
  const tenant = choose(random, ['acme', 'default'])
  const places = firstCheckpoint(db, tenant)
  db.prepare('DELETE FROM checkpoints WHERE tenant = ?').run(tenant)
  return { what: 'drop all checkpoints', places }
}

/** Takes entries away without a trace inside the database: with everything of their verdicts, and numbered anew. */
function removeQuietly(crime: Crime): Tampering {
  const { db, random } = crime
  const tenant = String(randomRow(crime, 'verdicts')['tenant'])
  const list = entries(db, tenant)
  const at = pick(random, list.length)
  const many = 1 + pick(random, 3)
  for (const { verdictId } of list.slice(at, at + many)) removeVerdict(db, tenant, verdictId)
  const later = list.slice(at + many)
  const numbered = random() < 0.5
  const moved = numbered ? later.map((one) => ({ ...one, sequence: one.sequence - many })) : later
  writeChain(db, tenant, [...list.slice(0, at), ...moved])
  return { what: numbered ? 'remove and number anew' : 'remove with its entry', places: [{ tenant, sequence: at + 1 }] }
}

/** Changes history and makes the whole chain anew, as whoever has the database can; some have the key, too. */
function makeAnew(crime: Crime): Tampering {
  const { db, random, key } = crime
  const tenant = String(randomRow(crime, 'verdicts')['tenant'])
  const list = entries(db, tenant)
  const at = pick(random, list.length)
  const victim = list[at]
  if (victim === undefined) throw new Error('There is no chain.')
  const record = forged(random, tenant)
  const seal = { verdictId: record.verdict.id, recordDigest: record.recordDigest }
  const other = (at + 1 + pick(random, list.length - 1)) % list.length
  const kinds: Record<string, () => readonly Pick<ChainEntry, 'verdictId' | 'recordDigest'>[]> = {
    replaced() {
      removeVerdict(db, tenant, victim.verdictId)
      insertRecord(db, record)
      return list.with(at, { ...victim, ...seal })
    },
    removed() {
      removeVerdict(db, tenant, victim.verdictId)
      return list.toSpliced(at, 1)
    },
    added() {
      insertRecord(db, record)
      return list.toSpliced(at, 0, { ...victim, ...seal })
    },
    reordered: () => list.with(at, list[other] ?? victim).with(other, victim),
  }
  const what = choose(random, Object.keys(kinds))
  writeChain(db, tenant, sealAnew(tenant, kinds[what]?.() ?? []))
  const withKey = random() < 0.5
  const dropped = withKey ? [] : firstCheckpoint(db, tenant)
  if (withKey) signAnew(db, tenant, key)
  else db.prepare('DELETE FROM checkpoints WHERE tenant = ?').run(tenant)
  const sequence = (what === 'reordered' ? Math.min(at, other) : at) + 1
  return {
    what: `${what} and made anew, ${withKey ? 'with the key' : 'checkpoints dropped'}`,
    places: [{ tenant, sequence }, ...dropped],
    anew: true,
  }
}

/** Cuts the end off, with every trace of it. */
function cutBack(crime: Crime): Tampering {
  const { db, random } = crime
  const tenant = String(randomRow(crime, 'verdicts')['tenant'])
  const list = entries(db, tenant)
  const at = pick(random, list.length)
  for (const { verdictId } of list.slice(at)) removeVerdict(db, tenant, verdictId)
  writeChain(db, tenant, list.slice(0, at))
  db.prepare('DELETE FROM checkpoints WHERE tenant = ? AND sequence > ?').run(tenant, at)
  return { what: 'cut back', places: [{ tenant, sequence: at + 1 }], anew: true }
}

const tamperings = [
  changeColumn,
  changeColumn,
  changeColumn,
  removeRow,
  insertRow,
  swapRows,
  forgeCheckpoint,
  dropAllCheckpoints,
  removeQuietly,
  makeAnew,
  makeAnew,
  cutBack,
]

/** Does one of them, which the random numbers choose; throws SQLite's error when the database cannot hold the result. */
export function tamper(crime: Crime): Tampering {
  return choose(crime.random, tamperings)(crime)
}
