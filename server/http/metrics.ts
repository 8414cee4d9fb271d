import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Store, VerdictRecord } from '../audit/store.ts'
import type { Verdict } from '../documents/verdict.ts'
import type { Recording } from '../evaluation/record.ts'
import type { PolicyView } from '../policy/live.ts'

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** What Prometheus may ask for. Durations are in seconds. */
export interface Metrics {
  readonly registry: Registry
  readonly requestSeconds: Histogram<'route' | 'method' | 'status'>
  readonly requestsInFlight: Gauge
  readonly evaluations: Counter<'family' | 'outcome' | 'recorded'>
  readonly batchLines: Counter<'status'>
  readonly shadowEvaluations: Counter<'from' | 'to'>
  readonly shadowFailures: Counter
  readonly recordSeconds: Histogram<'result'>
  readonly recordsInFlight: Gauge
}

/** Metrics in a registry of their own, so that two apps in one process do not share them. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  return {
    registry,
    requestSeconds: new Histogram({
      name: 'imagegate_http_request_duration_seconds',
      help: 'Time from the first header to the end of the answer.',
      labelNames: ['route', 'method', 'status'],
      buckets,
      registers,
    }),
    requestsInFlight: new Gauge({
      name: 'imagegate_http_requests_in_flight',
      help: 'Requests that are being answered.',
      registers,
    }),
    evaluations: new Counter({
      name: 'imagegate_evaluations_total',
      help: 'Verdicts reached, by policy family and outcome; recorded or as a dry run.',
      labelNames: ['family', 'outcome', 'recorded'],
      registers,
    }),
    batchLines: new Counter({
      name: 'imagegate_batch_lines_total',
      help: 'Lines of batches answered, by their status.',
      labelNames: ['status'],
      registers,
    }),
    shadowEvaluations: new Counter({
      name: 'imagegate_shadow_evaluations_total',
      help: 'Recorded verdicts by their outcome and by what the candidate policy would have said.',
      labelNames: ['from', 'to'],
      registers,
    }),
    shadowFailures: new Counter({
      name: 'imagegate_shadow_failures_total',
      help: 'Shadow evaluations that could not be made or recorded; their verdicts were.',
      registers,
    }),
    recordSeconds: new Histogram({
      name: 'imagegate_store_record_duration_seconds',
      help: 'Time until a verdict was durable, or refused.',
      labelNames: ['result'],
      buckets,
      registers,
    }),
    recordsInFlight: new Gauge({
      name: 'imagegate_store_records_in_flight',
      help: 'Verdicts that wait for their commit.',
      registers,
    }),
  }
}

/** Adds what is served and how reloads went, read when Prometheus asks. */
export function observePolicies({ registry }: Metrics, policies: PolicyView): void {
  const registers = [registry]
  new Gauge({
    name: 'imagegate_policy_set_info',
    help: 'The set of policies that is served, by its digest; always 1.',
    labelNames: ['digest'],
    registers,
    collect() {
      this.reset()
      this.set({ digest: policies.served.digest }, 1)
    },
  })
  new Gauge({
    name: 'imagegate_policy_set_since_seconds',
    help: 'When the set that is served came into service, in seconds since 1970.',
    registers,
    collect() {
      this.set(Date.parse(policies.served.since) / 1000)
    },
  })
  new Gauge({
    name: 'imagegate_policy_reload_failed',
    help: '1 when the last reload failed and the last good policies are served, else 0.',
    registers,
    collect() {
      this.set(policies.failure === undefined ? 0 : 1)
    },
  })
  new Counter({
    name: 'imagegate_policy_reloads_total',
    help: 'Reloads of the policies by what they came to: changed, unchanged or failed.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset()
      for (const [result, count] of Object.entries(policies.reloads)) this.inc({ result }, count)
    },
  })
}

/** Adds the process's own metrics: CPU, memory, event loop, garbage collection. */
export function observeProcess({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry })
}

/** Counts one verdict. */
export function countVerdict(metrics: Metrics, { policy, outcome }: Verdict, recorded: boolean): void {
  metrics.evaluations.inc({ family: policy.family, outcome, recorded: String(recorded) })
}

function countShadow(metrics: Metrics, { verdict, shadow }: VerdictRecord, became: 'kept' | 'lost' | undefined): void {
  if (became === 'lost') metrics.shadowFailures.inc()
  if (became === 'kept' && shadow !== undefined) {
    metrics.shadowEvaluations.inc({ from: verdict.outcome, to: shadow.outcome })
  }
}

/** Recording into a store, measured. */
export function measured(store: Store, metrics: Metrics): Recording {
  return {
    idempotent: (tenant, key) => store.idempotent(tenant, key),
    async record(given) {
      const stop = metrics.recordSeconds.startTimer()
      metrics.recordsInFlight.inc()
      try {
        const result = await store.record(given)
        stop({ result: result.kind })
        if (result.kind === 'recorded') {
          countVerdict(metrics, given.verdict, true)
          countShadow(metrics, given, result.shadow)
        }
        return result
      } catch (error) {
        stop({ result: 'failed' })
        throw error
      } finally {
        metrics.recordsInFlight.dec()
      }
    },
  }
}

/** GET /metrics in Prometheus' text format. */
export function metricsRoute(app: FastifyInstance, { registry }: Metrics): void {
  app.get(
    '/metrics',
    {
      schema: { summary: 'Metrics for Prometheus', tags: ['operation'], produces: ['text/plain'] },
      config: { permission: 'operate', answersWhileClosing: true },
    },
    async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()),
  )
}
