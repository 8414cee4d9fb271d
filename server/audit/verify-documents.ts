import { sha256 } from '../digest.ts'
import { identifyFacts } from '../facts/parse.ts'
import { matches } from '../schemas.ts'
import { MergeCursor, smallestKey } from './merge-cursor.ts'
import { type AuditSnapshot, oneRow } from './snapshot.ts'
import type { AuditTables, VerdictRow } from './tables.ts'
import type { AuditProblem, AuditProblems } from './verify-problems.ts'

/** Documents may have 1 MiB each, so few are held. */
const documentsAtOnce = 50

type FactDocumentRow = AuditTables['fact_documents']
type UseRow = Pick<VerdictRow, 'document_digest' | 'facts_digest' | 'recorded_at' | 'id'>
type Fault = Pick<AuditProblem, 'kind' | 'differs' | 'message'>

/** The digest of the facts in a body; undefined when it is no fact document. */
function factsDigestOf(body: string): string | undefined {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  return matches('facts', value) ? identifyFacts(value).factsDigest : undefined
}

function changed(differs: string, message: string): Fault {
  return { kind: 'changed', differs: [differs], message }
}

/** What the verdicts that name a document say of it; they may be very many. */
interface Uses {
  /** The one with the lowest id; absent when there is none. */
  readonly first?: UseRow
  /** Whether one of them was recorded when the document was. */
  readonly timely: boolean
}

/** What is wrong with a kept document. */
function faultsOf(row: FactDocumentRow, { first, timely }: Uses): Fault[] {
  const { digest, facts_digest: facts, body, removed_at: removedAt, removal_reason: reason } = row
  const faults: Fault[] = []
  if (body !== null && sha256(body) !== digest) {
    faults.push(changed('body', `It has the digest ${sha256(body)}; ${digest} was recorded.`))
  }
  const said = first?.facts_digest
  if (said !== undefined && said !== facts) {
    faults.push(changed('facts_digest', `facts_digest is ${facts}; the verdict says ${said}.`))
  }
  if (said === undefined && body !== null && factsDigestOf(body) !== facts) {
    faults.push(changed('facts_digest', `facts_digest is ${facts}, which is not that of the body.`))
  }
  if (first !== undefined && !timely) {
    const message = `first_recorded_at is ${row.first_recorded_at}; no verdict about it was recorded then.`
    faults.push(changed('first_recorded_at', message))
  }
  if ((body === null && removedAt === null) || (removedAt === null) !== (reason === null)) {
    faults.push(changed('removed_at', 'Its body was removed without a time and a reason.'))
  }
  if (first === undefined) faults.push({ kind: 'added', differs: [], message: 'No verdict was judged from it.' })
  return faults
}

async function usesOf(cursor: MergeCursor<UseRow>, key: string, row: FactDocumentRow | undefined): Promise<Uses> {
  let first: UseRow | undefined
  let timely = false
  await cursor.each(key, (use) => {
    first ??= use
    timely ||= use.recorded_at === row?.first_recorded_at
  })
  return { ...(first === undefined ? {} : { first }), timely }
}

async function placeOf(snapshot: AuditSnapshot, tenant: string, verdict: string | undefined) {
  if (verdict === undefined) return { tenant }
  const row = await oneRow(snapshot, (db) =>
    db.selectFrom('chain').select('sequence').where('tenant', '=', tenant).where('verdict_id', '=', verdict),
  )
  return { tenant, verdict, ...(row === undefined ? {} : { sequence: row.sequence }) }
}

/**
 * Checks that the fact documents of a tenant are those that its verdicts name. Those that retention removed must say
 * when and why. Rejects as the snapshot does.
 */
export async function walkDocuments(
  snapshot: AuditSnapshot,
  tenant: string,
  problems: AuditProblems,
  progress: () => void,
): Promise<void> {
  const kept = new MergeCursor<FactDocumentRow>(
    snapshot.rows(
      (db) => db.selectFrom('fact_documents').selectAll().where('tenant', '=', tenant).orderBy('digest'),
      documentsAtOnce,
    ),
    (row) => row.digest,
  )
  const uses = new MergeCursor<UseRow>(
    snapshot.rows((db) =>
      db
        .selectFrom('verdicts')
        .select(['document_digest', 'facts_digest', 'recorded_at', 'id'])
        .where('tenant', '=', tenant)
        .orderBy('document_digest')
        .orderBy('id'),
    ),
    (row) => row.document_digest,
  )
  try {
    for (let key = await smallestKey([kept, uses]); key !== undefined; key = await smallestKey([kept, uses])) {
      const [row] = await kept.take(key)
      const used = await usesOf(uses, key, row)
      const gone: Fault = { kind: 'removed', differs: [], message: `The document ${key} is not there.` }
      for (const fault of row === undefined ? [gone] : faultsOf(row, used)) {
        problems.add({ ...fault, where: 'fact_documents', ...(await placeOf(snapshot, tenant, used.first?.id)) })
      }
      progress()
    }
  } finally {
    await kept.close()
    await uses.close()
  }
}
