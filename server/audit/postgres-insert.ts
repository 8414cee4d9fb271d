import { trigramsOf } from './image-text.ts'
import type { Connection } from './postgres-connection.ts'
import { textArray } from './postgres-values.ts'
import type { RecordRows } from './rows.ts'
import type { PolicyBody } from './store.ts'

/** Each text once, in one order that all replicas share: they then wait for each other and never in a circle. */
export function inOrder<T>(items: readonly T[], nameOf: (item: T) => string): readonly T[] {
  const named = new Map(items.map((item) => [nameOf(item), item] as const))
  return [...named].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, item]) => item)
}

/** The columns of rows as parameters, one list a column. */
export function columnsOf<Row>(rows: readonly Row[], ...names: readonly (keyof Row & string)[]): Buffer[] {
  return names.map((name) =>
    textArray(
      rows.map((row) => {
        const value = row[name]
        return value === null ? null : String(value)
      }),
    ),
  )
}

/** Keeps policy bodies that are not there yet. */
export async function keepPolicies(connection: Connection, policies: readonly PolicyBody[]): Promise<void> {
  const rows = inOrder(policies, ({ digest }) => digest)
  if (rows.length === 0) return
  await connection.query(
    `INSERT INTO policy_bodies (digest, family, version, body)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING`,
    columnsOf(rows, 'digest', 'family', 'version', 'body'),
  )
}

/** A document is there once; one whose body retention removed gets it back when it is sent again. */
export async function keepDocuments(connection: Connection, records: readonly RecordRows[]): Promise<void> {
  const rows = inOrder(
    records.map(({ verdict, document }) => ({ ...verdict, document })),
    ({ tenant, document_digest }) => `${tenant} ${document_digest}`,
  )
  const { rowCount } = await connection.query(
    `INSERT INTO fact_documents (tenant, digest, facts_digest, first_recorded_at, body)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`,
    columnsOf(rows, 'tenant', 'document_digest', 'facts_digest', 'recorded_at', 'document'),
  )
  if (rowCount === rows.length) return
  await connection.query(
    `UPDATE fact_documents SET body = sent.body
     FROM unnest($1::text[], $2::text[], $3::text[]) AS sent (tenant, digest, body)
     WHERE fact_documents.tenant = sent.tenant AND fact_documents.digest = sent.digest AND fact_documents.body IS NULL`,
    columnsOf(rows, 'tenant', 'document_digest', 'document'),
  )
}

/** Inserts verdicts with what finds them, and lets them wait for the sealer. No other transaction has their ids, so none waits for another. */
export async function insertVerdicts(connection: Connection, records: readonly RecordRows[]): Promise<void> {
  const verdicts = records.map(({ verdict }) => verdict)
  const findings = records.flatMap((record) => record.findings)
  const missing = records.flatMap(({ verdict: { tenant, id }, missing }) =>
    missing.map((pointer) => ({ tenant, pointer, id })),
  )
  const kinds = records.flatMap((record) => record.kinds)
  const trigrams = records.flatMap(({ verdict: { tenant, id }, imageText }) =>
    trigramsOf(imageText ?? '').map((trigram) => ({ tenant, trigram, id })),
  )
  await connection.query(
    `WITH kept AS (
       INSERT INTO verdicts (tenant, id, recorded_at, outcome, family, policy_version, policy_digest, os_type, os_id,
         os_version, image_name, image_digest, facts_digest, document_digest, record_digest, body, caller, request_id)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
         $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
         $16::text[], $17::text[], $18::text[])
       RETURNING tenant, id, record_digest
     ), waiting AS (
       INSERT INTO unsealed (tenant, verdict_id, record_digest) SELECT tenant, id, record_digest FROM kept
     ), found AS (
       INSERT INTO findings (tenant, rule, result, verdict_id, severity, effect)
       SELECT * FROM unnest($19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[])
     ), kinds AS (
       INSERT INTO finding_kinds (tenant, severity, effect, verdict_id)
       SELECT * FROM unnest($25::text[], $26::text[], $27::text[], $28::text[])
     ), named AS (
       INSERT INTO image_trigrams (tenant, trigram, verdict_id)
       SELECT * FROM unnest($29::text[], $30::text[], $31::text[])
     )
     INSERT INTO missing_facts (tenant, pointer, verdict_id) SELECT * FROM unnest($32::text[], $33::text[], $34::text[])`,
    [
      ...columnsOf(verdicts, 'tenant', 'id', 'recorded_at', 'outcome', 'family', 'policy_version', 'policy_digest'),
      ...columnsOf(verdicts, 'os_type', 'os_id', 'os_version', 'image_name', 'image_digest', 'facts_digest'),
      ...columnsOf(verdicts, 'document_digest', 'record_digest', 'body', 'caller', 'request_id'),
      ...columnsOf(findings, 'tenant', 'rule', 'result', 'verdict_id', 'severity', 'effect'),
      ...columnsOf(kinds, 'tenant', 'severity', 'effect', 'verdict_id'),
      ...columnsOf(trigrams, 'tenant', 'trigram', 'id'),
      ...columnsOf(missing, 'tenant', 'pointer', 'id'),
    ],
  )
}
