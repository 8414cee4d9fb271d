import type { KeyObject } from 'node:crypto'
import type { Verification } from '../documents/verification.ts'
import type { ChainEntry } from './chain.ts'
import type { OutsideCheckpoints } from './checkpoint-files.ts'
import { derivedTables } from './derived-rows.ts'
import { type AuditSnapshot, oneRow } from './snapshot.ts'
import { DailyCounts } from './tally.ts'
import { secondsSince, walkChain } from './verify-checkpoints.ts'
import { walkCounts } from './verify-counts.ts'
import { walkDocuments } from './verify-documents.ts'
import { walkImageTexts } from './verify-image-texts.ts'
import { PolicyUses, walkPolicies } from './verify-policies.ts'
import type { AuditProblems } from './verify-problems.ts'
import { walkRecords } from './verify-records.ts'

/** What is verified, and by what. */
export interface VerifyRequest {
  readonly snapshot: AuditSnapshot
  /** One tenant alone; every one of them when left out. */
  readonly tenant?: string
  readonly keys: readonly KeyObject[]
  readonly outside: OutsideCheckpoints
  /** When it is, in milliseconds since 1970. */
  readonly now: number
  /** Called for every row that was checked, with what is being read. */
  progress(tenant: string, what: 'entries' | 'verdicts' | 'fact documents'): void
}

/** The tables in which a tenant may have rows, but for image_texts: it has no index of tenants, and is walked as a whole. */
function tenantTables(snapshot: AuditSnapshot) {
  const derived = derivedTables(snapshot.dialect).flatMap(({ table }) => (table === 'image_texts' ? [] : [table]))
  return ['chain', 'verdicts', 'unsealed', 'checkpoints', 'fact_documents', 'daily_counts', ...derived] as const
}

/** Every tenant that has a row or a checkpoint, found by steps in an index. */
async function tenantsOf(snapshot: AuditSnapshot, outside: OutsideCheckpoints): Promise<string[]> {
  const tenants = new Set(outside.keys())
  for (const table of tenantTables(snapshot)) {
    let last: string | undefined
    do {
      const after = last
      const row = await oneRow(snapshot, (db) => {
        const query = db.selectFrom(table).select('tenant').orderBy('tenant').limit(1)
        return after === undefined ? query : query.where('tenant', '>', after)
      })
      last = row?.tenant
      if (last !== undefined) tenants.add(last)
    } while (last !== undefined)
  }
  return [...tenants].sort()
}

async function* entriesOf(snapshot: AuditSnapshot, tenant: string): AsyncGenerator<ChainEntry, void, void> {
  const rows = snapshot.rows((db) =>
    db.selectFrom('chain').selectAll().where('tenant', '=', tenant).orderBy('sequence'),
  )
  for await (const row of rows) {
    yield {
      tenant,
      sequence: row.sequence,
      verdictId: row.verdict_id,
      recordDigest: row.record_digest,
      previousLink: row.previous_link,
      link: row.link,
    }
  }
}

async function* checkpointsOf(snapshot: AuditSnapshot, tenant: string): AsyncGenerator<unknown, void, void> {
  const rows = snapshot.rows((db) =>
    db.selectFrom('checkpoints').selectAll().where('tenant', '=', tenant).orderBy('sequence'),
  )
  for await (const { from_sequence: from, ...rest } of rows) yield { schema: 'imagegate.checkpoint/1', from, ...rest }
}

async function verifyTenant(
  request: VerifyRequest,
  tenant: string,
  uses: PolicyUses,
  problems: AuditProblems,
): Promise<Omit<Verification['tenants'][number], 'problems'>> {
  const { snapshot, keys, outside, now, progress } = request
  const chain = await walkChain(
    {
      tenant,
      entries: entriesOf(snapshot, tenant),
      stored: checkpointsOf(snapshot, tenant),
      outside: outside.get(tenant) ?? [],
      keys,
    },
    problems,
    () => progress(tenant, 'entries'),
  )
  const counts = new DailyCounts()
  const records = await walkRecords({ snapshot, tenant, uses, counts }, problems, () => progress(tenant, 'verdicts'))
  // Where a record is at fault nobody can say what the counts must be.
  if (problems.of(tenant) === 0) await walkCounts(snapshot, tenant, counts.take(), problems)
  await walkDocuments(snapshot, tenant, problems, () => progress(tenant, 'fact documents'))
  const { outside: mark } = chain
  return {
    tenant,
    ...chain,
    ...records,
    notCovered: chain.entries - Math.min(mark?.sequence ?? 0, chain.entries) + records.unsealed,
    ...(mark === undefined ? {} : { notCoveredSeconds: secondsSince(mark.at, now) }),
  }
}

/**
 * Verifies a database, tenant by tenant: chain and checkpoints, records and what repeats or counts them, fact documents, policies.
 * Memory does not grow with the number of verdicts. Rejects as the snapshot does.
 */
export async function verifyDatabase(
  request: VerifyRequest,
  problems: AuditProblems,
): Promise<Verification['tenants']> {
  const { snapshot, tenant: one, outside } = request
  const uses = new PolicyUses()
  const tenants: Omit<Verification['tenants'][number], 'problems'>[] = []
  for (const tenant of one === undefined ? await tenantsOf(snapshot, outside) : [one]) {
    tenants.push(await verifyTenant(request, tenant, uses, problems))
  }
  await walkPolicies(snapshot, uses, problems)
  if (snapshot.dialect === 'sqlite') await walkImageTexts(snapshot, one, problems)
  return tenants.map((tenant) => ({ ...tenant, problems: problems.of(tenant.tenant) }))
}
