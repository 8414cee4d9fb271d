import type { KeyObject } from 'node:crypto'
import { canonicalize } from '../digest.ts'
import { matches, problemsOf } from '../schemas.ts'
import { faultOfProof } from './chain.ts'
import type { OutsideCheckpoints } from './checkpoint-files.ts'
import type { AuditProblem } from './verify-problems.ts'

type Fault = Pick<AuditProblem, 'message' | 'tenant' | 'sequence' | 'verdict'>

/** A JSON text's canonical form, because a verdict may have been saved with spaces; undefined when it is none. */
function canonical(text: string): string | undefined {
  try {
    return canonicalize(JSON.parse(text))
  } catch {
    return undefined
  }
}

/**
 * Checks the text of an inclusion proof, offline: undefined when it holds, else what is wrong. With a verdict's text it
 * must be about that, and with a checkpoint of the same place from outside it must stand under that.
 */
export function faultOfProofText(
  text: string,
  keys: readonly KeyObject[],
  verdict: string | undefined,
  outside: OutsideCheckpoints,
): Fault | undefined {
  const form = canonical(text)
  const proof: unknown = form === undefined ? undefined : JSON.parse(form)
  if (!matches('proof', proof)) {
    const [first] = problemsOf('proof', proof)
    return { message: `It is no inclusion proof: ${first?.pointer ?? ''} ${first?.message ?? ''}` }
  }
  const { tenant, sequence, verdictId } = proof.entry
  const place = { tenant, sequence, verdict: verdictId }
  const said = verdict === undefined ? undefined : canonical(verdict)
  if (verdict !== undefined && said === undefined) return { ...place, message: 'The verdict is not JSON.' }
  const fault = faultOfProof(proof, keys, said)
  if (fault !== undefined) return { ...place, message: fault }
  const { checkpoint } = proof
  const known = outside.get(checkpoint.tenant)?.find((one) => one.sequence === checkpoint.sequence)
  if (known === undefined || canonicalize(known) === canonicalize(checkpoint)) return undefined
  return { ...place, message: `Its checkpoint is not the one for ${checkpoint.sequence} that lies outside.` }
}
