import { sha256 } from '../digest.ts'
import type { Bearer } from '../issuer/token.ts'
import type { Callers } from './bearer.ts'
import { Remembering } from './remembering.ts'

/** A token that was verified is not verified again for so many milliseconds. */
const trusted = 5000

/** Finds callers by tokens. */
export function tokenCallers(verify: (token: string) => Promise<Bearer>, now: () => Date): Callers {
  const verified = new Remembering<{ readonly bearer: Bearer; readonly at: number }>()
  async function callerOf(token: string) {
    const digest = sha256(token)
    let known = verified.get(digest)
    const fresh =
      known !== undefined && performance.now() - known.at < trusted && known.bearer.expires * 1000 > now().getTime()
    if (known === undefined || !fresh) {
      known = { bearer: await verify(token), at: performance.now() }
      verified.set(digest, known)
    }
    const { subject, tenant, roles } = known.bearer
    return { name: `token:${subject}`, tenant, roles }
  }
  return { callerOf }
}
