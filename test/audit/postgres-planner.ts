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
  /** Indexes that found rows, without the part of the name that tells the partition. */
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

function workOf(plan: PlanNode): Work {
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
    indexes: new Set(scans.flatMap((node) => node['Index Name']?.replace(/_(\d{4}_\d\d|default)/, '') ?? [])),
  }
}

/** 40,000 verdicts of three months, with three findings and two missing facts each, spread by chance that is always the same. */
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
  'web-' || floor(random() * 2000), 'sha256:' || floor(random() * 8000), 'sha256:f', 'sha256:d', 'sha256:r', '{}', 'key:' || floor(random() * 20),
  'request-' || n FROM made;
INSERT INTO findings SELECT 'default', 'linux.rule-' || floor(random() * 45), pg_temp.one_of('fail', 'fail', 'unknown'), id,
  'block', 'block' FROM made, generate_series(1, 3) ON CONFLICT DO NOTHING;
INSERT INTO finding_kinds SELECT tenant, severity, effect, verdict_id FROM findings
  UNION SELECT tenant, severity, '', verdict_id FROM findings UNION SELECT tenant, '', effect, verdict_id FROM findings;
INSERT INTO image_trigrams SELECT DISTINCT tenant, substr(image_name, place, 3), id
  FROM verdicts CROSS JOIN generate_series(1, length(image_name) - 2) AS place;
INSERT INTO chain SELECT tenant, row_number() OVER (ORDER BY id), id, 'sha256:r', 'sha256:l', 'sha256:l' FROM verdicts ORDER BY id;
INSERT INTO audit_reads SELECT 'default', id, recorded_at, 'key:' || floor(random() * 20), 'reader',
  pg_temp.one_of('getVerdict', 'getFacts', 'listVerdicts', 'listChanges'),
  CASE WHEN random() < 0.5 THEN 'verdict-' || floor(random() * 4000) END, '{}', 200, 1, 'request-' || n FROM made;
INSERT INTO missing_facts SELECT 'default', '/fact/' || floor(random() * 100), id FROM made, generate_series(1, 2)
  ON CONFLICT DO NOTHING;
INSERT INTO daily_counts SELECT 'default', result, to_char('2026-01-01'::date + day, 'YYYY-MM-DD'), 'linux.rule-' || rule, 'linux', 100
  FROM unnest(ARRAY['pass', 'fail']) AS result, generate_series(0, 89) AS day, generate_series(0, 44) AS rule;
ANALYZE;
`

/** What makes parallel plans as cheap as they seem to be in a record of millions. */
const cheapWorkers = `SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0;
  SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL min_parallel_index_scan_size = 0`

/** Explains queries on a database of 40,000 verdicts, as a tenant's reading transaction runs them. */
export type Explain = (query: (db: Kysely<AuditTables>) => Explained | Promise<Explained>) => Promise<Work>

interface Explained {
  compile(): CompiledQuery
}

/** A filled database, and what explains queries on it. */
export async function postgresPlanner(t: Test, databases: Databases): Promise<Explain> {
  const url = await databases.create()
  await (await openPostgresStore({ url })).close()
  const pool = openPool({ url, size: 1 })
  t.teardown(() => pool.end())
  await makePartitions(pool, new Date('2026-01-01T00:00:00Z'), new Date('2026-03-31T00:00:00Z'))
  await queryAt(databases.superuser(url), fill)
  return (query) =>
    inTransaction(pool, beginReading, async (connection) => {
      await setTenant(connection, 'default')
      await connection.query(cheapWorkers)
      const { sql, parameters } = (await query(kyselyOn(connection))).compile()
      const { rows } = await connection.query(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${sql}`, [...parameters])
      return workOf(rows[0]['QUERY PLAN'][0].Plan)
    })
}
