import type { Test } from 'tap'
import { makeKey } from '../../server/access/key.ts'
import type { ApiKey } from '../../server/audit/api-keys.ts'
import type { Store } from '../../server/audit/store.ts'

function keyOf(tenant: string, more: Partial<ApiKey> = {}): ApiKey {
  const { id, digest } = makeKey()
  return { id, tenant, role: 'reader', name: 'a\u0000b ☃', digest, createdAt: '2026-11-20T09:00:00.000Z', ...more }
}

/** Keys are found, listed by tenant, revoked once, and end sooner when they are replaced. */
export async function keepsApiKeys(t: Test, { store, tenant }: { store: Store; tenant: string }): Promise<void> {
  const key = keyOf(tenant, { expiresAt: '2030-01-01T00:00:00.000Z' })
  const other = keyOf(`${tenant}-other`)
  await store.changeApiKeys({ kind: 'create', key })
  await store.changeApiKeys({ kind: 'create', key: other })
  t.same(await store.apiKey(key.id), key)
  t.same(await store.apiKey(other.id), other)
  t.equal(await store.apiKey('none'), undefined)
  t.same(await store.apiKeys(tenant), [key])
  t.same(
    (await store.apiKeys()).filter((one) => one.tenant.startsWith(tenant)),
    [key, other],
  )

  const end = (id: string, expiresAt: string) => ({ id, expiresAt })
  const next = keyOf(tenant)
  const replaces = end(key.id, '2027-01-01T00:00:00.000Z')
  await store.changeApiKeys({ kind: 'create', key: next, replaces })
  t.equal((await store.apiKey(key.id))?.expiresAt, replaces.expiresAt)
  const later = keyOf(tenant)
  await store.changeApiKeys({ kind: 'create', key: later, replaces: end(key.id, '2029-01-01T00:00:00.000Z') })
  t.equal((await store.apiKey(key.id))?.expiresAt, replaces.expiresAt, 'an end is never put off')
  const stranger = keyOf(tenant)
  await t.rejects(
    store.changeApiKeys({ kind: 'create', key: stranger, replaces: end(other.id, '2027-01-01T00:00:00.000Z') }),
    { code: 'API_KEY_NOT_FOUND' },
    'a key of another tenant cannot be replaced',
  )
  t.equal(await store.apiKey(stranger.id), undefined, 'and the new key is not there either')

  const at = '2026-11-21T00:00:00.000Z'
  await store.changeApiKeys({ kind: 'revoke', id: next.id, at })
  t.equal((await store.apiKey(next.id))?.revokedAt, at)
  await t.rejects(store.changeApiKeys({ kind: 'revoke', id: next.id, at }), { code: 'API_KEY_NOT_FOUND' })
  await t.rejects(store.changeApiKeys({ kind: 'revoke', id: 'none', at }), { code: 'API_KEY_NOT_FOUND' })
}
