import type { Connection } from './postgres-connection.ts'
import { columnsOf } from './postgres-insert.ts'
import { DailyCounts, tallyOfBody } from './tally.ts'

/** Verdicts may have 1 MiB each, so few are held. */
const verdictsAtOnce = 50

/** Counts verdicts that are being sealed. Only one transaction seals at a time, so none waits for another's counts. */
export async function countSealed(
  connection: Connection,
  sealed: readonly { readonly tenant: string; readonly verdictId: string }[],
): Promise<void> {
  const counts = new DailyCounts()
  for (let at = 0; at < sealed.length; at += verdictsAtOnce) {
    const { rows } = await connection.query<{ tenant: string; body: string }>(
      `SELECT sent.tenant, found.body FROM unnest($1::text[], $2::text[]) AS sent (tenant, id)
       CROSS JOIN LATERAL (SELECT body FROM verdicts WHERE verdicts.tenant = sent.tenant AND verdicts.id = sent.id LIMIT 1)
         AS found`,
      columnsOf(sealed.slice(at, at + verdictsAtOnce), 'tenant', 'verdictId'),
    )
    for (const { tenant, body } of rows) {
      const tally = tallyOfBody(body)
      if (tally !== undefined) counts.add(tenant, tally)
    }
  }
  await connection.query(
    `INSERT INTO daily_counts AS counted (tenant, result, day, subject, family, verdicts)
     SELECT tenant, result, day, subject, family, verdicts::bigint
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
       AS sent (tenant, result, day, subject, family, verdicts)
     ON CONFLICT (tenant, result, day, subject, family) DO UPDATE SET verdicts = counted.verdicts + excluded.verdicts`,
    columnsOf(counts.take(), 'tenant', 'result', 'day', 'subject', 'family', 'verdicts'),
  )
}
