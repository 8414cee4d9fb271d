import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { count } from '../support/long.ts'
import { type Cluster, databasesOf, startCluster } from '../support/postgres.ts'
import { type Rows, rowsAt, rowsOfFile } from '../support/storm.ts'

/** So many clients ask at the same time. */
export const connections = 64

/** So often something is killed. */
export const cycles = count(200)

/** What is killed, and where its rows are read. */
export interface Stage {
  readonly settings: Readonly<Record<string, string>>
  readonly rows: Rows
  /** Where the database is a server. */
  readonly cluster?: Cluster
}

/** Starts a server again that was killed. */
export async function restart(cluster: Cluster): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await cluster.start()
      return
    } catch (error) {
      // A process that was killed may hold the shared memory for a moment more.
      if (attempt === 20) throw error
      await sleep(100)
    }
  }
}

/** The service on a file of SQLite. */
export function stageOnSqlite(t: Test): Stage {
  const file = join(t.testdir(), 'imagegate.db')
  return { settings: { IMAGEGATE_DATABASE_URL: `file:${file}` }, rows: rowsOfFile(file) }
}

/** The service on a PostgreSQL server of its own. */
export async function stageOnPostgres(t: Test): Promise<Stage> {
  const cluster = await startCluster(t)
  const databases = await databasesOf(cluster.superuser())
  const url = await databases.create()
  return { settings: { IMAGEGATE_DATABASE_URL: url }, rows: rowsAt(databases.superuser(url)), cluster }
}
