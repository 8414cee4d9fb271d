import type { Kysely } from 'kysely'
import { requireSearchText, trigramsOf } from './image-text.ts'
import type { AuditTables } from './tables.ts'

/** The databases that queries are written for. */
export type Dialect = 'sqlite' | 'postgres'

/** How a text in image names is found: by a phrase of SQLite's index, or by trigrams, the rarest first. */
export type TextSearch = { readonly phrase: string } | { readonly trigrams: readonly [string, ...string[]] }

/** Rows are counted up to this, which tells the rare from the common. */
export const counted = 500

/** Trigrams that are counted. */
const considered = 16

/** Trigrams that are looked up beside the driving one; LIKE decides what they leave open. */
const lookedUp = 4

/** How a text is found, if one is asked for. Throws OPTION_INVALID when it is too short. */
export async function textSearch(
  db: Kysely<AuditTables>,
  request: { readonly dialect: Dialect; readonly tenant: string; readonly filter: { readonly text?: string } },
): Promise<TextSearch | undefined> {
  const { dialect, tenant, filter } = request
  if (filter.text === undefined) return undefined
  const text = requireSearchText(filter.text)
  if (dialect === 'sqlite') return { phrase: `"${text.replaceAll('"', '""')}"` }
  const found: { readonly trigram: string; readonly count: number }[] = []
  for (const trigram of trigramsOf(text).slice(0, considered)) {
    const count = await countUpTo(db, tenant, trigram)
    found.push({ trigram, count })
    // With one that is nowhere, the text is nowhere.
    if (count === 0) break
  }
  const [rarest, ...others] = found.sort((one, other) => one.count - other.count).map(({ trigram }) => trigram)
  return rarest === undefined ? undefined : { trigrams: [rarest, ...others.slice(0, lookedUp)] }
}

/** The query that tells whether a trigram is rare. */
export function trigramCountQuery(db: Kysely<AuditTables>, tenant: string, trigram: string) {
  return db
    .selectFrom((from) =>
      from
        .selectFrom('image_trigrams')
        .select('verdict_id')
        .where('tenant', '=', tenant)
        .where('trigram', '=', trigram)
        .limit(counted)
        .as('bounded'),
    )
    .select((select) => select.fn.countAll<number>().as('count'))
}

async function countUpTo(db: Kysely<AuditTables>, tenant: string, trigram: string): Promise<number> {
  return (await trigramCountQuery(db, tenant, trigram).executeTakeFirstOrThrow()).count
}
