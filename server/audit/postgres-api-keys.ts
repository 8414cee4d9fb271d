import type { ApiKeyChange, ApiKeyResult } from './api-keys.ts'
import type { Connection } from './postgres-connection.ts'
import { toText } from './postgres-text.ts'

/** Changes API keys, inside a transaction that sees all tenants. */
export async function changeApiKeys(connection: Connection, change: ApiKeyChange): Promise<ApiKeyResult> {
  if (change.kind === 'revoke') {
    const { rowCount } = await connection.query(
      'UPDATE api_keys SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL',
      [change.at, change.id],
    )
    return rowCount === 1 ? { kind: 'recorded' } : { kind: 'unknown' }
  }
  const { key, replaces } = change
  if (replaces !== undefined) {
    const { rowCount } = await connection.query(
      `UPDATE api_keys SET expires_at = least(expires_at, $1) WHERE id = $2 AND tenant = $3 AND revoked_at IS NULL`,
      [replaces.expiresAt, replaces.id, key.tenant],
    )
    if (rowCount !== 1) return { kind: 'unknown' }
  }
  await connection.query(
    `INSERT INTO api_keys (id, tenant, role, name, digest, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [key.id, key.tenant, key.role, toText(key.name), key.digest, key.createdAt, key.expiresAt ?? null],
  )
  return { kind: 'recorded' }
}
