import type { Kysely } from 'kysely'
import type { ApiKey } from './api-keys.ts'
import type { ApiKeyRow, AuditTables } from './tables.ts'

function keyOf(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    tenant: row.tenant,
    role: row.role,
    name: row.name,
    digest: row.digest,
    createdAt: row.created_at,
    ...(row.expires_at !== null && { expiresAt: row.expires_at }),
    ...(row.revoked_at !== null && { revokedAt: row.revoked_at }),
  }
}

/** The query behind findApiKey: a row by its key. */
export function apiKeyQuery(db: Kysely<AuditTables>, id: string) {
  return db.selectFrom('api_keys').selectAll().where('id', '=', id)
}

/** A key by its id. */
export async function findApiKey(db: Kysely<AuditTables>, id: string): Promise<ApiKey | undefined> {
  const row = await apiKeyQuery(db, id).executeTakeFirst()
  return row && keyOf(row)
}

/** The query behind listApiKeys: a range of the index by tenant, or all of it. */
export function apiKeysQuery(db: Kysely<AuditTables>, tenant?: string) {
  const all = db.selectFrom('api_keys').selectAll().orderBy('tenant').orderBy('id')
  return tenant === undefined ? all : all.where('tenant', '=', tenant)
}

/** The keys of a tenant, or of all, by tenant and id. */
export async function listApiKeys(db: Kysely<AuditTables>, tenant?: string): Promise<readonly ApiKey[]> {
  return (await apiKeysQuery(db, tenant).execute()).map(keyOf)
}
