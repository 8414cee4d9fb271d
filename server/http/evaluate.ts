import type { FastifyRequest } from 'fastify'
import { judge } from '../evaluation/judge.ts'
import { type GivenOptions, parseOptions } from '../evaluation/options.ts'
import { evaluateAndRecord, type SubmittedBy } from '../evaluation/record.ts'
import { parseFacts } from '../facts/parse.ts'
import { callerOf } from './caller.ts'
import type { Deps } from './deps.ts'
import { countVerdict } from './metrics.ts'
import { traceOf } from './problems.ts'
import type { PartSchema } from './validation.ts'

/** The options of an evaluation, as they stand in a query. */
export interface EvaluationQuery {
  readonly importAs?: string
  readonly systemDiskBytes?: string
  readonly policyVersion?: string
  readonly asOf?: string
  readonly record?: 'true' | 'false'
}

/** JSON Schema of an evaluation's query. The texts' own form is checked by parseOptions. */
export const evaluationQuery: PartSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    importAs: {
      description: 'Import as a non-standard system: others-linux or customized-linux.',
      type: 'string',
      enum: ['others-linux', 'customized-linux'],
    },
    systemDiskBytes: {
      description: 'Size of the system disk that will be asked for, in bytes.',
      type: 'string',
      pattern: '^[1-9][0-9]{0,15}$',
      examples: ['42949672960'],
    },
    policyVersion: {
      description: 'Judge by this version of the policy; not together with asOf.',
      type: 'string',
      pattern: '^[0-9]{1,6}\\.[0-9]{1,6}\\.[0-9]{1,6}$',
      examples: ['1.0.0'],
    },
    asOf: {
      description:
        'Judge by the policy in force at this instant: RFC 3339 in UTC, or a date, which is its midnight. Default: now.',
      type: 'string',
      maxLength: 24,
      pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{8,12}Z)?$',
      examples: ['2021-01-01T00:00:00Z'],
    },
    record: {
      description: 'true, or false for a dry run: the verdict is answered with 200 and nothing is stored.',
      type: 'string',
      enum: ['true', 'false'],
      default: 'true',
    },
  },
}

/** JSON Schema of the headers of an evaluation. */
export const evaluationHeaders: PartSchema = {
  type: 'object',
  properties: {
    'idempotency-key': {
      description:
        'Any text of 1 to 255 visible ASCII characters. The same key with the same document and options answers the first verdict again; kept at least 24 hours.',
      type: 'string',
      pattern: '^[\\x21-\\x7e]{1,255}$',
    },
  },
}

/** One answered evaluation. */
export interface Answer {
  /** The verdict's JSON text, exactly as stored when it was. */
  readonly body: string
  /** Absent for a dry run. */
  readonly recorded?: { readonly id: string; readonly recordDigest: string; readonly replayed: boolean }
}

/** How one or many documents of a request are evaluated. */
export interface Evaluation {
  readonly given: GivenOptions
  readonly record: boolean
  readonly tenant: string
  readonly submittedBy: SubmittedBy
}

/** Reads what a request asks for, and who asks. Throws OPTION_INVALID or AS_OF_WITH_PIN. */
export function evaluationOf(request: FastifyRequest<{ Querystring: EvaluationQuery }>): Evaluation {
  const { record, ...options } = request.query
  const { name, tenant } = callerOf(request)
  return {
    given: parseOptions(options),
    record: record !== 'false',
    tenant,
    submittedBy: { caller: name, requestId: request.id },
  }
}

function shadowFailed({ logger, metrics }: Deps): (error: unknown) => void {
  return (error) => {
    metrics.shadowFailures.inc()
    logger.error({ err: traceOf(error) }, 'the candidate policy could not be evaluated')
  }
}

/** Evaluates one document's bytes under the policies that are served when it begins. Rejects with what parseFacts, judge and evaluateAndRecord throw. */
export async function evaluateBytes(
  deps: Deps,
  { given, record, tenant, submittedBy }: Evaluation,
  bytes: Uint8Array,
  key: string | undefined,
): Promise<Answer> {
  const { set: policies, candidate } = deps.policies.served
  const facts = parseFacts(bytes)
  if (!record) {
    const { verdict } = judge(policies, facts, given, deps.now())
    countVerdict(deps.metrics, verdict, false)
    return { body: JSON.stringify(verdict) }
  }
  const { body, id, recordDigest, replayed } = await evaluateAndRecord(
    { policies, candidate, store: deps.recording, now: deps.now, shadowFailed: shadowFailed(deps) },
    {
      tenant,
      submittedBy,
      facts,
      given,
      ...(key === undefined ? {} : { idempotencyKey: key }),
    },
  )
  return { body, recorded: { id, recordDigest, replayed } }
}
