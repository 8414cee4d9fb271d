import type { FactDocument } from '../documents/facts.ts'

/** The sections that facts stand in. */
export type Facts = Omit<FactDocument, 'schema' | 'collection'>

/** Why one fact, or a group of facts, is absent. */
export interface Missing {
  /** JSON Pointer. */
  readonly pointer: string
  /** A stable reason for programs. */
  readonly code: string
  /** One sentence for people; it may quote the guest and is escaped when it is shown. */
  readonly reason: string
}

/** What one step of collecting contributes to the document. Members are merged; lists are given whole by one part. */
export interface Part {
  readonly facts: Facts
  /** How they were obtained: the tool or file, for collection/sources. */
  readonly method: string
  readonly missing?: readonly Missing[]
}
