import type { Checkpoint } from '../documents/checkpoint.ts'
import type { InclusionProof } from '../documents/proof.ts'
import type { ChainEntry } from './chain.ts'

/** How far a tenant's chain and its checkpoints go. */
export interface Coverage {
  readonly tenant: string
  /** Newest sequence number. */
  readonly sealed: number
  /** Last sequence number under a checkpoint, 0 before the first. */
  readonly covered: number
}

/** uncovered: it is sealed, and the next checkpoint will cover it. unsealed: it waits for the chain. */
export type ProofState = InclusionProof | 'uncovered' | 'unsealed'

/** What the chain tells, within one tenant; it rejects as StoreReader does. */
export interface ChainReader {
  /** At most limit entries (1 to 500) of the tenant's hash chain after a sequence number, in the chain's order. */
  entries(tenant: string, after: number, limit: number): Promise<readonly ChainEntry[]>
  /** At most limit checkpoints (1 to 500) whose segments end after a sequence number, in the chain's order. */
  checkpoints(tenant: string, after: number, limit: number): Promise<readonly Checkpoint[]>
  /** The proof that a verdict stands in the chain; undefined when there is no such verdict. */
  proof(tenant: string, id: string): Promise<ProofState | undefined>
  /** Every tenant that has a chain. */
  coverage(): Promise<readonly Coverage[]>
}

/** What waits to be sealed: nothing where verdicts are sealed in their own commits. */
export interface SealingState {
  /** Verdicts, counted up to a bound. */
  readonly waiting: number
  /** Age of the oldest of them. */
  readonly oldestSeconds: number
  /** Verdicts that this process has sealed. */
  readonly sealed: number
}

/** What writes beside the chain, and what is known of its sealing. */
export interface ChainWriter {
  /**
   * Resolves once the checkpoint is durable, or with 'taken' when the last one of its tenant does not end just before
   * it: somebody else was faster. Rejects as Store.record does.
   */
  addCheckpoint(checkpoint: Checkpoint): Promise<'added' | 'taken'>
  /** As of the last look, which is about a second ago at most. */
  sealing(): SealingState
}
