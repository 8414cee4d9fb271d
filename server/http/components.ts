import { errorKinds } from '../errors.ts'
import { type Kind, kinds, schema } from '../schemas.ts'
import { changes, dayStatistics, factStatistics, readPage, ruleStatistics, timeline } from './audit-components.ts'
import { component, integer, list, object, optionalText, string, time } from './schema-parts.ts'

/** Names of the documents' schemas in the API description. */
export const componentNames: Readonly<Record<Kind, string>> = {
  facts: 'FactDocument',
  policy: 'Policy',
  'policy-test': 'PolicyTest',
  'equivalent-mutants': 'EquivalentMutants',
  'policy-lock': 'PolicyLock',
  'policy-impact': 'PolicyImpact',
  'policy-bundle': 'PolicyBundle',
  'policy-diff': 'PolicyDiff',
  verdict: 'Verdict',
  checkpoint: 'Checkpoint',
  proof: 'InclusionProof',
  export: 'ExportManifest',
  verification: 'Verification',
}

/** Local references of a schema file, made to point to its parts in the API description. */
function relocated(node: unknown, owner: string): unknown {
  if (Array.isArray(node)) return node.map((one) => relocated(one, owner))
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      if (key !== '$ref' || typeof value !== 'string') return [key, relocated(value, owner)]
      return [key, component(value.replace('#/$defs/', `${owner}.`)).$ref]
    }),
  )
}

function documents(): Record<string, object> {
  const parts = kinds.flatMap((kind) => {
    const owner = componentNames[kind]
    const { $schema: _dialect, $id: _id, $defs: definitions, ...root } = schema(kind)
    const named = Object.entries(definitions ?? {}).map(([name, part]) => [`${owner}.${name}`, part])
    return [[owner, root], ...named].map(([name, part]) => [name, relocated(part, owner)])
  })
  return Object.fromEntries(parts)
}

const policyVersion = object(
  'A version of a policy; its body stands at href and never changes.',
  {
    family: string,
    version: string,
    digest: string,
    effectiveFrom: time,
    title: string,
    inForce: { type: 'boolean', description: 'Whether it is selected now.' },
    withdrawn: object('Since when and why it is no longer selected.', { at: time, reason: string }),
    href: string,
  },
  ['withdrawn'],
)

const summary = object('A verdict in a list.', {
  id: string,
  recordedAt: time,
  outcome: string,
  family: string,
  policyVersion: string,
  policyDigest: string,
  osType: optionalText,
  osId: optionalText,
  osVersion: optionalText,
  imageName: optionalText,
  imageDigest: optionalText,
  factsDigest: string,
  documentDigest: string,
  recordDigest: string,
})

const replay = object(
  'Whether the record, evaluated again, gives the same verdict.',
  {
    id: string,
    result: { type: 'string', enum: ['same', 'different', 'facts_expired'] },
    evaluator: object('Generations of the evaluator.', { recorded: integer, current: integer }),
    firstDifference: { type: 'string', description: 'Pointer of the first member that differs.' },
    reason: { type: 'string', description: 'Why no comparison by member was possible.' },
  },
  ['firstDifference', 'reason'],
)

const problem = object(
  'An error (RFC 9457).',
  {
    type: { type: 'string', format: 'uri-reference', description: 'Where the code is explained.' },
    title: string,
    status: integer,
    detail: string,
    code: { type: 'string', enum: Object.keys(errorKinds) },
    instance: { type: 'string', format: 'uri', description: 'The request, as in the log.' },
    problems: {
      ...list(
        'What is wrong, place by place.',
        object('One place.', { pointer: string, message: string }, ['pointer']),
      ),
      maxItems: 100,
    },
    total: { ...integer, description: 'How many problems there are in all.' },
  },
  ['problems', 'total'],
)

const place = object(
  'Where a policy is at fault.',
  { file: string, line: integer, column: integer, pointer: string, message: string },
  ['file', 'line', 'column', 'pointer'],
)

const ready = object('The service is ready.', {
  status: { const: 'ready' },
  policies: object(
    'What is served.',
    {
      digest: { ...string, description: 'Digest of the set of policies.' },
      since: time,
      versions: integer,
      bundle: { ...integer, description: 'Sequence of the signed bundle that they came in.' },
      candidate: { ...string, description: 'Digest of the policy that is tried in shadow.' },
      reload: { type: 'string', enum: ['ok', 'failed'], description: 'What the last reload came to.' },
      failed: object('Why the last reload left everything as it was.', {
        at: time,
        code: { type: 'string', enum: Object.keys(errorKinds) },
        title: string,
        problems: { ...list('The first of them.', place), maxItems: 10 },
        total: integer,
      }),
    },
    ['bundle', 'candidate', 'failed'],
  ),
})

const side = {
  description: "What a policy made of the rule; 'absent' where it does not have it.",
  oneOf: [{ const: 'absent' }, object('Result and effect.', { effect: string, result: string })],
}

const change = { from: string, to: string, evaluations: integer, href: { ...string, description: 'The verdicts.' } }

const candidate = object('A policy that is tried in shadow.', {
  family: string,
  version: string,
  digest: string,
  title: string,
  evaluations: { ...integer, description: 'Verdicts beside which it was evaluated.' },
  changed: { ...integer, description: 'Those of which the outcome would differ.' },
  outcomes: list('How many went from which outcome to which.', object('A change of outcome.', change)),
  rules: list('The same for the results of each rule.', object('A change of a rule.', { rule: string, ...change })),
  href: { ...string, description: 'The verdicts of which a rule differs.' },
})

const candidateDifference = object('A verdict, and how the candidate would differ.', {
  verdict: string,
  from: { ...string, description: 'The outcome that was answered.' },
  to: { ...string, description: "The candidate's outcome." },
  policyDigest: { ...string, description: 'The policy of the verdict.' },
  rules: list('What differs.', object('A rule.', { rule: string, from: side, to: side })),
  href: string,
})

const batchLine = {
  description: 'The answer to one line of a batch.',
  type: 'object',
  properties: {
    line: { type: 'integer', minimum: 1 },
    status: integer,
    replayed: { const: true, description: 'There when an earlier request with the same key made the verdict.' },
    verdict: component('Verdict'),
    problem: component('Problem'),
  },
  required: ['line', 'status'],
  oneOf: [{ required: ['verdict'] }, { required: ['problem'] }],
}

/** Every schema of the API description; those of documents are the files in schemas/, part by part. */
export function components(): Record<string, object> {
  const error = object('An error code.', { code: string, status: integer, title: string, mend: string, type: string })
  const schemaEntry = object('A schema.', { kind: string, title: string, href: string })
  const evidence = { id: string, evaluator: integer, findings: list('Of every rule.', component('Verdict.finding')) }
  const page = { verdicts: list('Newest first.', component('VerdictSummary')), next: string }
  const family = { family: string, versions: list('Oldest first.', component('PolicyVersion')) }
  return {
    ...documents(),
    Problem: problem,
    BatchLine: batchLine,
    VerdictSummary: summary,
    VerdictPage: object('A page of verdicts; next is absent on the last alone, however few a page holds.', page, [
      'next',
    ]),
    Timeline: timeline,
    Changes: changes,
    DayStatistics: dayStatistics,
    RuleStatistics: ruleStatistics,
    FactStatistics: factStatistics,
    ReadPage: readPage,
    Evidence: object('The findings with their evidence, computed anew; no part of the record.', evidence),
    Replay: replay,
    PolicyVersion: policyVersion,
    PolicyFamily: object('The versions of one family.', family),
    PolicyFamilies: object('All policies.', { families: list('By name.', component('PolicyFamily')) }),
    SchemaList: object('All schemas.', { schemas: list('In the order of the flow.', schemaEntry) }),
    ErrorList: object('All error codes.', { problems: list('As declared.', component('ErrorCode')) }),
    ErrorCode: error,
    CheckpointPage: object(
      'A page; next is absent on the last.',
      { checkpoints: list('In the order of the chain.', component('Checkpoint')), next: string },
      ['next'],
    ),
    Ready: ready,
    Candidate: candidate,
    CandidateDifference: candidateDifference,
    CandidateDifferences: object(
      'A page; next is absent on the last.',
      { differences: list('Newest first.', component('CandidateDifference')), next: string },
      ['next'],
    ),
  }
}

interface Answered {
  readonly description: string
  readonly schema: unknown
  /** application/json when left out. */
  readonly mediaType?: string
  readonly headers?: Readonly<Record<string, { readonly type: string; readonly description: string }>>
}

/** A route's answers as Fastify and the API description take them; every route may answer problems. */
export function answers(byStatus: Readonly<Record<number, Answered>>): Record<string, unknown> {
  const problems = { content: { 'application/problem+json': { schema: component('Problem') } } }
  const told = Object.entries(byStatus).map(([status, { description, headers, schema: answer, mediaType }]) => [
    status,
    {
      description,
      ...(headers === undefined ? {} : { headers }),
      content: { [mediaType ?? 'application/json']: { schema: answer } },
    },
  ])
  return {
    ...Object.fromEntries(told),
    '4xx': { description: 'The request is at fault.', ...problems },
    '5xx': { description: 'The service is at fault.', ...problems },
  }
}
