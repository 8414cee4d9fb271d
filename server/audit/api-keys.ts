/** An API key as it is kept: never its text. Times are RFC 3339, UTC, with milliseconds. */
export interface ApiKey {
  readonly id: string
  readonly tenant: string
  readonly role: string
  /** What it is for, in its owner's words. */
  readonly name: string
  /** SHA-256 of its text. */
  readonly digest: string
  readonly createdAt: string
  readonly expiresAt?: string
  readonly revokedAt?: string
}

/** A change of the keys. An end that is given to a replaced key takes effect unless it ends sooner already. */
export type ApiKeyChange =
  | {
      readonly kind: 'create'
      readonly key: ApiKey
      readonly replaces?: { readonly id: string; readonly expiresAt: string }
    }
  | { readonly kind: 'revoke'; readonly id: string; readonly at: string }

/** What became of a change: done, or no such key that is still in use. */
export type ApiKeyResult = { readonly kind: 'recorded' } | { readonly kind: 'unknown' }

/** Who may call, as far as API keys say it. Each method rejects with STORE_UNAVAILABLE when the database cannot be read. */
export interface ApiKeyReader {
  apiKey(id: string): Promise<ApiKey | undefined>
  /** All keys, of one tenant or of every one, by tenant and then by id; also those that are of no use any more. */
  apiKeys(tenant?: string): Promise<readonly ApiKey[]>
  /**
   * A number that is another one when keys were changed by this program, in whichever process, since; undefined where only
   * asking for the keys tells.
   */
  version(): number | undefined
}
