import type { FastifyBaseLogger } from 'fastify'
import type { CheckpointState } from '../audit/checkpoints.ts'
import type { Store } from '../audit/store.ts'
import type { Recording } from '../evaluation/record.ts'
import type { PolicyView } from '../policy/live.ts'
import type { TlsMaterial } from '../tls.ts'
import type { Authenticate } from './access.ts'
import type { Metrics } from './metrics.ts'
import type { Rates } from './rate-limits.ts'

/** serving: all is answered. draining: unready, still answering. closing: only health is answered. */
export type Phase = 'serving' | 'draining' | 'closing'

/** Where the process stands between its start and its end; whoever stops it moves it on. */
export interface Lifecycle {
  phase: Phase
}

/** What an operator may bound. */
export interface Limits extends Rates {
  /** Seconds in which a body, or the next part of a batch, must arrive. */
  readonly bodySeconds: number
  /** Lines of one batch that are evaluated at a time. */
  readonly batchWindow: number
  /** Milliseconds of event-loop delay above which requests are turned away; 0 never does. */
  readonly maxDelayMs: number
  /** Refuse requests that name a host other than loopback, as a web page does that has its own name point here. */
  readonly loopbackOnly: boolean
  /** Addresses and networks of load balancers, whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
}

/** What the routes work with. */
export interface Deps {
  /** Finds out who sent a request. */
  readonly authenticate: Authenticate
  /** A request takes what is served once, and keeps to it. */
  readonly policies: PolicyView
  readonly store: Store
  /** How the checkpoints of the chain are doing. */
  readonly checkpoints: { readonly state: CheckpointState }
  /** The store's recording, measured. */
  readonly recording: Recording
  readonly now: () => Date
  readonly logger: FastifyBaseLogger
  readonly metrics: Metrics
  readonly lifecycle: Lifecycle
  /** Absent where the service speaks plain HTTP. */
  readonly tls?: TlsMaterial
  readonly limits: Limits
}
