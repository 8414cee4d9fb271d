import type { Database } from 'better-sqlite3'
import type { ApiKeyChange, ApiKeyResult } from './api-keys.ts'

/**
 * Prepares the statements that change API keys, inside a transaction. The database's user_version counts the changes, so
 * that readers, whose every request asks, need not look the keys up again.
 */
export function prepareApiKeys(db: Database): (change: ApiKeyChange) => ApiKeyResult {
  const insert = db.prepare(
    'INSERT INTO api_keys (id, tenant, role, name, digest, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const shorten = db.prepare(
    `UPDATE api_keys SET expires_at = min(coalesce(expires_at, 'z'), ?) WHERE id = ? AND tenant = ? AND revoked_at IS NULL`,
  )
  const revoke = db.prepare('UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL')
  const count = () => db.exec(`PRAGMA user_version = ${Number(db.pragma('user_version', { simple: true })) + 1}`)
  return (change) => {
    count()
    if (change.kind === 'revoke') return revoke.run(change.at, change.id).changes === 1 ? recorded : unknown
    const { key, replaces } = change
    if (replaces !== undefined && shorten.run(replaces.expiresAt, replaces.id, key.tenant).changes === 0) return unknown
    insert.run(key.id, key.tenant, key.role, key.name, key.digest, key.createdAt, key.expiresAt ?? null)
    return recorded
  }
}

const recorded: ApiKeyResult = { kind: 'recorded' }
const unknown: ApiKeyResult = { kind: 'unknown' }
