import { timingSafeEqual } from 'node:crypto'
import { readKey } from '../access/key.ts'
import { isRole } from '../access/roles.ts'
import type { ApiKey, ApiKeyReader } from '../audit/api-keys.ts'
import { sha256 } from '../digest.ts'
import { type Callers, refused } from './bearer.ts'
import type { Caller } from './caller.ts'
import { Remembering } from './remembering.ts'

/** A key that was found is looked up again after so many milliseconds, whatever the store says. */
const trusted = 2000

interface Remembered {
  readonly key: ApiKey
  readonly caller: Caller
  readonly version: number | undefined
  readonly at: number
}

/** Finds callers by their API keys. */
export class ApiKeyCallers implements Callers {
  readonly #store: ApiKeyReader
  readonly #now: () => Date
  /** By the digest of the key's text. */
  readonly #remembered = new Remembering<Remembered>()

  constructor(store: ApiKeyReader, now: () => Date) {
    this.#store = store
    this.#now = now
  }

  /**
   * The caller of a key. A key that was revoked is refused from the next request on where the store tells at once that it
   * had keys changed (SQLite), else within two seconds. Rejects with UNAUTHENTICATED, or with STORE_UNAVAILABLE.
   */
  async callerOf(text: string): Promise<Caller> {
    const known = this.#recall(sha256(text))
    if (known !== undefined) return this.#inUse(known)
    const read = readKey(text)
    if (read === undefined) throw refused()
    // Asked before the key is, so that a change in between is found out the next time.
    const version = this.#store.version()
    const key = await this.#store.apiKey(read.id)
    if (key === undefined || !equal(key.digest, read.digest) || !isRole(key.role)) throw refused()
    const caller = { name: `key:${key.id}`, tenant: key.tenant, roles: [key.role] }
    const found = { key, caller, version, at: performance.now() }
    this.#remembered.set(read.digest, found)
    return this.#inUse(found)
  }

  #inUse({ key, caller }: Remembered): Caller {
    if (key.revokedAt !== undefined) throw refused()
    if (key.expiresAt !== undefined && Date.parse(key.expiresAt) <= this.#now().getTime()) throw refused()
    return caller
  }

  #recall(digest: string): Remembered | undefined {
    const found = this.#remembered.get(digest)
    if (found === undefined) return undefined
    if (performance.now() - found.at >= trusted) return undefined
    return found.version === this.#store.version() ? found : undefined
  }
}

/** Compares two digests in a time that does not depend on them. */
function equal(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}
