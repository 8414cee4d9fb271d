// Which statements a request runs, by listening to the drivers, and how the database answers them.
import Database from 'better-sqlite3'
import pg from 'pg'
import { beginReading, inTransaction, openPool, setTenant } from '../../dist/audit/postgres-connection.js'
import { openForReading } from '../../dist/audit/sqlite-connection.js'

let heard

const isQuery = (sql) => /^\s*(select|with)\b/i.test(sql) && !/set_config|FROM health|current_setting/.test(sql)

const prepare = Database.prototype.prepare
Database.prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql)
  for (const method of ['all', 'get', 'iterate']) {
    const run = statement[method]
    statement[method] = function (...parameters) {
      if (heard !== undefined && isQuery(sql)) heard.push({ sql, parameters: parameters.flat() })
      return run.apply(this, parameters)
    }
  }
  return statement
}

const query = pg.Client.prototype.query
pg.Client.prototype.query = function (sql, parameters, ...rest) {
  if (heard !== undefined && typeof sql === 'string' && isQuery(sql)) heard.push({ sql, parameters: parameters ?? [] })
  return query.call(this, sql, parameters, ...rest)
}

/** The statements that run while work does. */
export async function statementsOf(work) {
  heard = []
  try {
    await work()
    return heard
  } finally {
    heard = undefined
  }
}

function explainSqlite(file) {
  const db = openForReading(file)
  return {
    explain: async (_tenant, { sql, parameters }) => {
      const rows = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters)
      const depths = new Map([[0, -1]])
      return rows.map(({ id, parent, detail }) => {
        depths.set(id, (depths.get(parent) ?? -1) + 1)
        return `${'  '.repeat(depths.get(id))}${detail}`
      })
    },
    close: async () => db.close(),
  }
}

/** The condition of row-level security, which stands in every scan. */
const rowPolicy =
  /\(\(?tenant = current_setting\('imagegate\.tenant'::text, true\)\)? OR \(current_setting\('imagegate\.tenant'::text, true\) = '\*'::text\)\)/

/** Nodes that never ran, and scans of months that found nothing, are left out with what is below them. */
function shortened(lines) {
  const kept = []
  let idle
  for (const line of lines) {
    const depth = line.search(/\S/)
    if (idle !== undefined && depth > idle) continue
    idle = undefined
    const month = /->.* on \w+_(\d{4}_\d\d|default) /.test(line) && line.includes('(actual rows=0 loops=1)')
    if (month || line.includes('(never executed)')) idle = depth
    else kept.push(line)
  }
  return kept
    .map((line) =>
      line
        .replace(' loops=1)', ')')
        .replace(rowPolicy, '[row policy]')
        .replace(
          /shared( hit=(\d+))?( read=(\d+))?.*/,
          (_, _h, hit = 0, _r, read = 0) => `${Number(hit) + Number(read)}`,
        ),
    )
    .filter((line) => !/^\s*(Planning:|Worker|Filter: \[row policy\]$)/.test(line))
}

function explainPostgres(url) {
  const pool = openPool({ url, size: 1 })
  return {
    explain: (tenant, { sql, parameters }) =>
      inTransaction(pool, beginReading, async (connection) => {
        await setTenant(connection, tenant)
        const { rows } = await connection.query(
          `EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) ${sql}`,
          parameters,
        )
        return shortened(rows.map((row) => row['QUERY PLAN']))
      }),
    close: () => pool.end(),
  }
}

/** Explains statements as the service's reading transaction runs them. */
export const explainer = (place) => (place.kind === 'sqlite' ? explainSqlite(place.file) : explainPostgres(place.url))
