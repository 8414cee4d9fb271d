import type { CompiledQuery, Kysely } from 'kysely'
import type { Test } from 'tap'
import { openPostgresStore } from '../../server/audit/postgres.ts'
import { beginReading, inTransaction, openPool, setTenant } from '../../server/audit/postgres-connection.ts'
import { makePartitions } from '../../server/audit/postgres-partitions.ts'
import { kyselyOn } from '../../server/audit/postgres-reader.ts'
import type { AuditTables } from '../../server/audit/tables.ts'
import { type Databases, queryAt } from '../support/postgres.ts'

/** What a query did, as EXPLAIN ANALYZE counted it. */
export interface Work {
  /** Rows that scans looked at, those that a filter threw away included. */
  readonly touched: number
  /** Tables and partitions with rows that were read from end to end. */
  readonly scanned: readonly string[]
  /** Most rows that were sorted at once. */
  readonly sorted: number
  /** Indexes that found rows; those of partitions by the name of the whole table's. */
  readonly indexes: ReadonlySet<string>
  /** Whether processes were started for it. */
  readonly parallel: boolean
}

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

function* nodesOf(node: PlanNode): Generator<PlanNode, void, void> {
  yield node
  for (const child of node.Plans ?? []) yield* nodesOf(child)
}

function workOf(plan: PlanNode, wholes: ReadonlyMap<string, string>): Work {
  const rowsOf = (node: PlanNode) =>
    (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
  const nodes = [...nodesOf(plan)]
  const scans = nodes.filter((node) => node['Node Type'].endsWith('Scan') && rowsOf(node) > 0)
  const sorts = nodes.filter((node) => node['Node Type'].endsWith('Sort'))
  return {
    touched: scans.reduce((sum, node) => sum + rowsOf(node), 0),
    scanned: scans.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name'] ?? ''),
    sorted: Math.max(0, ...sorts.flatMap((node) => node.Plans ?? []).map(rowsOf)),
    parallel: nodes.some((node) => node['Node Type'].startsWith('Gather')),
    indexes: new Set(scans.flatMap(({ 'Index Name': name }) => (name === undefined ? [] : (wholes.get(name) ?? name)))),
  }
}

/** 40,000 verdicts of three months and their chain, spread by chance that is always the same. */
const fill = `
SELECT set_config('imagegate.tenant', '*', false), setseed(0.5);
CREATE FUNCTION pg_temp.one_of(variadic list text[]) RETURNS text LANGUAGE sql VOLATILE AS
  'SELECT list[1 + floor(random() * array_length(list, 1))::integer]';
CREATE TEMP TABLE made AS
  SELECT n, substr(hex, 1, 8) || '-' || substr(hex, 9) || '-7000-8000-' || lpad(to_hex(n), 12, '0') AS id,
    to_char(to_timestamp(at / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS recorded_at
  FROM (SELECT n, at, lpad(to_hex(at), 12, '0') AS hex
    FROM (SELECT n, 1767225600000 + n::bigint * 190000 AS at FROM generate_series(1, 40000) n) AS times) AS ids;
INSERT INTO verdicts SELECT 'default', id, recorded_at,
  pg_temp.one_of('ready', 'ready', 'not_ready', 'undetermined', 'ready_with_warnings'),
  pg_temp.one_of('linux', 'linux', 'windows-server', 'nonstandard-linux'), '1.' || floor(random() * 10) || '.0', 'sha256:p',
  pg_temp.one_of('linux', 'linux', 'windows'), pg_temp.one_of('debian', 'ubuntu', 'centos', 'sles'), '12',
  'web-' || floor(random() * 2000), 'sha256:' || floor(random() * 8000), 'sha256:f', 'sha256:d' || n % 20000, 'sha256:r', '{}',
  'key:' || floor(random() * 20), 'request-' || n FROM made;
ALTER TABLE chain DISABLE TRIGGER keep_order;
INSERT INTO chain SELECT tenant, row_number() OVER (ORDER BY id), id, 'sha256:r', 'sha256:l', 'sha256:l' FROM verdicts ORDER BY id;
`

/** For lists: three findings and two missing facts of each verdict, trigrams, reads, and counts of 90 days. */
export const listRows = `
INSERT INTO findings SELECT 'default', 'linux.rule-' || floor(random() * 45), pg_temp.one_of('fail', 'fail', 'unknown'), id,
  'block', 'block' FROM made, generate_series(1, 3) ON CONFLICT DO NOTHING;
INSERT INTO finding_kinds SELECT tenant, severity, effect, verdict_id FROM findings
  UNION SELECT tenant, severity, '', verdict_id FROM findings UNION SELECT tenant, '', effect, verdict_id FROM findings;
INSERT INTO image_trigrams SELECT DISTINCT tenant, substr(image_name, place, 3), id
  FROM verdicts CROSS JOIN generate_series(1, length(image_name) - 2) AS place;
INSERT INTO audit_reads SELECT 'default', id, recorded_at, 'key:' || floor(random() * 20), 'reader',
  pg_temp.one_of('getVerdict', 'getFacts', 'listVerdicts', 'listChanges'),
  CASE WHEN random() < 0.5 THEN 'verdict-' || floor(random() * 4000) END, '{}', 200, 1, 'request-' || n FROM made;
INSERT INTO missing_facts SELECT 'default', '/fact/' || floor(random() * 100), id FROM made, generate_series(1, 2)
  ON CONFLICT DO NOTHING;
INSERT INTO daily_counts SELECT 'default', result, to_char('2026-01-01'::date + day, 'YYYY-MM-DD'), 'linux.rule-' || rule, 'linux', 100
  FROM unnest(ARRAY['pass', 'fail']) AS result, generate_series(0, 89) AS day, generate_series(0, 44) AS rule;
`

/** For the rest: two candidates beside the verdicts, and 10,000 or more of all that is found by a key. */
export const keyRows = `
INSERT INTO shadow_evaluations SELECT 'default', 'sha256:c' || n % 2, id, 'sha256:p',
  pg_temp.one_of('ready', 'ready', 'not_ready', 'undetermined'), pg_temp.one_of('ready', 'ready', 'not_ready', 'undetermined'),
  CASE WHEN n % 20 < 2 THEN 2 ELSE 0 END, '[]' FROM made WHERE n <= 30000;
INSERT INTO shadow_differences SELECT tenant, candidate_digest, 'linux.rule-' || floor(power(random(), 3) * 200), verdict_id
  FROM shadow_evaluations, generate_series(1, 2) ON CONFLICT DO NOTHING;
INSERT INTO shadow_counts SELECT 'default', 'sha256:c' || candidate, 'linux.rule-' || rule, from_value, 'pass', 7
  FROM generate_series(0, 99) AS candidate, generate_series(0, 44) AS rule, unnest(ARRAY['fail', 'unknown']) AS from_value;
INSERT INTO fact_documents SELECT 'default', 'sha256:d' || n, 'sha256:f', '2026-01-01T00:00:00.000Z', NULL, NULL, '{}'
  FROM generate_series(0, 19999) AS n;
INSERT INTO policy_bodies SELECT 'sha256:p' || n, 'linux', '1.0.0', '' FROM generate_series(1, 10000) AS n;
INSERT INTO idempotency_keys SELECT 'default', 'key-' || n, 'sha256:f', id, 1000 * (extract(epoch FROM now())::bigint + n - 300)
  FROM made WHERE n <= 20000;
INSERT INTO api_keys SELECT 'key-' || n, 'tenant-' || n % 500, 'reader', 'one', 'sha256:k', '2026-01-01T00:00:00.000Z', NULL, NULL
  FROM generate_series(1, 10000) AS n;
INSERT INTO chain SELECT 'tenant-' || tenant, sequence, 'verdict-' || tenant || '-' || sequence, 'sha256:r', 'sha256:l', 'sha256:l'
  FROM generate_series(1, 3) AS tenant, generate_series(1, 3000) AS sequence;
ALTER TABLE checkpoints DISABLE TRIGGER keep_order;
INSERT INTO checkpoints SELECT tenant, 2 * n - 1, 2 * n, 'sha256:l', 'sha256:o', '2026-01-01T00:00:00.000Z', 'sha256:k', ''
  FROM unnest(ARRAY['default', 'tenant-1', 'tenant-2', 'tenant-3']) AS tenant, generate_series(1, 1500) AS n;
`

/** What makes parallel plans as cheap as they seem to be in a record of millions. */
const cheapWorkers = `SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0;
  SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL min_parallel_index_scan_size = 0`

/** Explains a query on the filled database, in a transaction like that in which it is run. */
export type Explain = (query: (db: Kysely<AuditTables>) => Explained | Promise<Explained>, as?: RunAs) => Promise<Work>

/** Whose rows a transaction sees, those of 'default' when left out, and how it begins: as what reads does when left out. */
export interface RunAs {
  readonly tenant?: string
  readonly begin?: string
}

interface Explained {
  compile(): CompiledQuery
}

/** A database of 40,000 verdicts with more rows, and what explains queries on it. */
export async function postgresPlanner(t: Test, databases: Databases, more: string): Promise<Explain> {
  const url = await databases.create()
  await (await openPostgresStore({ url })).close()
  const pool = openPool({ url, size: 1 })
  t.teardown(() => pool.end())
  await makePartitions(pool, new Date('2026-01-01T00:00:00Z'), new Date('2026-03-31T00:00:00Z'))
  await queryAt(databases.superuser(url), `${fill}${more}ANALYZE;`)
  const { rows } = await pool.query<{ part: string; whole: string }>(
    `SELECT inhrelid::regclass::text AS part, inhparent::regclass::text AS whole
     FROM pg_inherits JOIN pg_index ON indexrelid = inhrelid`,
  )
  const wholes = new Map(rows.map(({ part, whole }) => [part, whole]))
  return (query, { tenant = 'default', begin = beginReading } = {}) =>
    inTransaction(pool, begin, async (connection) => {
      await setTenant(connection, tenant)
      await connection.query(cheapWorkers)
      const { sql, parameters } = (await query(kyselyOn(connection))).compile()
      const { rows } = await connection.query(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${sql}`, [...parameters])
      return workOf(rows[0]['QUERY PLAN'][0].Plan, wholes)
    })
}
