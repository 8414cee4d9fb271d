import type { DatabaseStatus, TenantStatus } from '../audit/status.ts'
import type { Paint } from './colour.ts'
import { safeText } from './escape.ts'
import { byteText } from './sizes.ts'
import { table } from './table.ts'

function head({ dialect, database, bytes, verdicts, migrations }: DatabaseStatus): string[] {
  const { applied, pending } = migrations
  const last = applied.at(-1)
  return [
    `Database    ${dialect} ${safeText(database)}, ${byteText(bytes)}`,
    `Migrations  ${applied.length} applied${last ? `, the last ${last.name} at ${last.appliedAt}` : ''}`,
    ...pending.map((name) => `  pending   ${name}`),
    `Verdicts    ${verdicts}`,
  ]
}

function tenantCells({ tenant, newest, head, unsealed, checkpoint }: TenantStatus): string[] {
  const at = checkpoint ? `${checkpoint.sequence} at ${checkpoint.at}` : 'none'
  return [tenant, newest.recordedAt, String(head?.sequence ?? 0), String(unsealed), at, head?.link ?? 'none']
}

/** The status of a database for people. */
export function statusText(status: DatabaseStatus, paint: Paint): string {
  const { tenants, partitions, rows } = status
  const section = (heading: readonly string[], lines: readonly (readonly string[])[]) =>
    lines.length === 0 ? '' : `\n${table(heading, lines, paint)}`
  return [
    `${head(status).join('\n')}\n`,
    section(
      ['Tenant', 'Newest verdict', 'Sealed', 'Unsealed', 'Last checkpoint', 'Chain ends with'],
      tenants.map(tenantCells),
    ),
    section(
      ['Partition', 'Bounds', 'Size'],
      partitions.map(({ name, bounds, bytes }) => [name, bounds, byteText(bytes)]),
    ),
    section(
      ['Table', 'Rows'],
      Object.entries(rows ?? {}).map(([name, count]) => [name, String(count)]),
    ),
  ].join('')
}
