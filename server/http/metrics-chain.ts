import { Counter, Gauge } from 'prom-client'
import type { Deps } from './deps.ts'
import type { Metrics } from './metrics.ts'

/** Adds how far the chain of verdicts is sealed and signed, read when Prometheus asks. */
export function observeChain(
  { registry }: Metrics,
  { store, checkpoints, now }: Pick<Deps, 'store' | 'checkpoints' | 'now'>,
) {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  gauge('imagegate_chain_unsealed', 'Verdicts that wait to be sealed, at the last look.', () => store.sealing().waiting)
  gauge(
    'imagegate_chain_unsealed_seconds',
    'Age of the oldest verdict that waits to be sealed.',
    () => store.sealing().oldestSeconds,
  )
  gauge(
    'imagegate_checkpoint_covered',
    'Verdicts of all tenants under checkpoints: their sequence numbers together.',
    () => checkpoints.state.covered,
  )
  gauge(
    'imagegate_checkpoint_uncovered',
    'Sealed verdicts that no checkpoint covers, at the last pass.',
    () => checkpoints.state.uncovered,
  )
  const startedAt = now().getTime()
  gauge(
    'imagegate_checkpoint_age_seconds',
    'Time since all that was sealed was last seen to be covered, or since the start.',
    () => Math.max(0, (now().getTime() - (checkpoints.state.coveredAt ?? startedAt)) / 1000),
  )
  gauge('imagegate_checkpoint_signing', '1 when this process has a key to sign checkpoints with, else 0.', () =>
    checkpoints.state.signing ? 1 : 0,
  )
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  counter('imagegate_checkpoints_total', 'Checkpoints that this process signed.', () => checkpoints.state.made)
  counter(
    'imagegate_checkpoint_failures_total',
    'Passes in which a checkpoint could not be made or kept, or a chain was found changed.',
    () => checkpoints.state.failures,
  )
}
