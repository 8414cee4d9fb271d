import type { Options, Verdict } from '../documents/verdict.ts'
import type { RuleResult } from '../evaluation/evaluate.ts'
import { strictAjv } from '../validators.ts'

/** What a replay needs of a recorded verdict. */
export interface RecordedJudgement {
  readonly id: string
  readonly tenant: string
  readonly recordedAt: string
  readonly outcome: Verdict['outcome']
  readonly documentDigest: string
  readonly factsDigest: string
  readonly policy: { readonly family: string; readonly version: string }
  readonly options: Options
  readonly findings: readonly RuleResult[]
  readonly subject: { readonly imageName?: string; readonly imageDigest?: string }
}

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength })
const digest = { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' }
const size = { type: 'integer', minimum: 0 }

function object(properties: Readonly<Record<string, unknown>>, optional: readonly string[] = []) {
  return { type: 'object', properties, required: Object.keys(properties).filter((name) => !optional.includes(name)) }
}

/** These members alone are checked: a verdict of any major that has them can be replayed, and 100,000 are checked soon. */
const check = strictAjv(false).compile<RecordedJudgement>(
  object({
    id: { type: 'string', pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' },
    tenant: text(64),
    recordedAt: text(30),
    outcome: { enum: ['ready', 'ready_with_warnings', 'undetermined', 'not_ready'] },
    documentDigest: digest,
    factsDigest: digest,
    policy: object({ family: text(64), version: { type: 'string', pattern: '^\\d{1,6}\\.\\d{1,6}\\.\\d{1,6}$' } }),
    options: object({
      importAs: { enum: ['none', 'others-linux', 'customized-linux'] },
      systemDisk: object({ requested: { type: 'boolean' }, sizeBytes: size }, ['sizeBytes']),
    }),
    findings: {
      type: 'array',
      maxItems: 256,
      items: object({
        rule: text(128),
        result: { enum: ['pass', 'fail', 'unknown', 'not_applicable'] },
        effect: { enum: ['block', 'warn', 'inform', 'none'] },
      }),
    },
    subject: object({ imageName: text(255), imageDigest: digest }, ['imageName', 'imageDigest']),
  }),
)

/** A verdict parsed from JSON, or undefined when it is none. */
export function recordedJudgement(value: unknown): RecordedJudgement | undefined {
  return check(value) ? value : undefined
}
