import { component, integer, list, object, optionalText, string, time } from './schema-parts.ts'

const ruleState = {
  description: "A rule in a verdict; 'absent' where its policy does not have it.",
  oneOf: [{ const: 'absent' }, object('Result and effect.', { result: string, effect: string })],
}

/** GET /v1/timeline */
export const timeline = object(
  'Verdicts of one image, newest first; next is absent on the last page.',
  {
    entries: list(
      'Newest first.',
      object(
        'A verdict and what changed since the one before; the oldest has no change.',
        {
          verdict: component('VerdictSummary'),
          change: object(
            'Since the verdict before.',
            {
              since: { ...string, description: 'Id of the verdict before.' },
              causes: list('Empty when nothing of what decides differs.', {
                type: 'string',
                enum: ['facts', 'options', 'policy', 'clock', 'evaluator'],
              }),
              sections: list('Sections of the facts that differ, where both documents are kept.', string),
              outcome: object('When it differs.', { from: string, to: string }),
              findings: list('Rules that differ.', object('A rule.', { rule: string, from: ruleState, to: ruleState })),
            },
            ['sections', 'outcome'],
          ),
        },
        ['change'],
      ),
    ),
    next: string,
  },
  ['next'],
)

/** GET /v1/changes */
export const changes = object('Sealed verdicts in the order of the hash chain.', {
  changes: list(
    'In order.',
    object('A verdict.', {
      sequence: integer,
      link: { ...string, description: 'Its link in the chain.' },
      verdict: component('VerdictSummary'),
    }),
  ),
  last: { ...integer, description: 'The sequence number to go on after.' },
})

const day = { type: 'string', format: 'date' }
const counted = {
  from: { ...day, description: 'The first day that is counted.' },
  to: { ...day, description: 'The day after the last one.' },
}
const verdicts = { ...integer, description: 'All sealed verdicts of the period.' }

/** GET /v1/statistics/days */
export const dayStatistics = object('Results by day, oldest day first.', {
  ...counted,
  days: list(
    'Days that have any.',
    object('A day.', {
      day,
      results: {
        type: 'object',
        description: 'How many verdicts have each outcome, or each result of the rule, or miss the fact.',
        additionalProperties: integer,
        examples: [{ ready: 5, not_ready: 2 }],
      },
    }),
  ),
})

/** GET /v1/statistics/rules */
export const ruleStatistics = object('Rules by how many verdicts have the result, the most frequent first.', {
  ...counted,
  verdicts,
  rules: list('Equally many stand by name.', object('A rule.', { rule: string, verdicts: integer })),
})

/** GET /v1/statistics/facts */
export const factStatistics = object('Facts by how many verdicts miss them, the most frequent first.', {
  ...counted,
  verdicts,
  facts: list('Equally many stand by name.', object('A fact.', { pointer: string, verdicts: integer })),
})

const read = object('A read of the audit trail.', {
  id: { ...string, description: 'Of this record; a UUID of version 7.' },
  at: { ...time, description: 'When it was answered.' },
  caller: { ...string, description: 'Who read: anonymous, key:ID or token:SUBJECT.' },
  roles: list('Roles that the caller had.', string),
  operation: { ...string, description: 'What was read: the operationId of this description.' },
  verdict: { ...optionalText, description: 'The verdict that was asked for by its id, whether there is one or not.' },
  request: object('What was asked; each text is cut after 1024 characters.', {
    path: { type: 'object', description: 'What stood in the path.' },
    query: { type: 'object', description: 'What stood in the query; a cursor as what it stands for.' },
  }),
  status: { ...integer, description: 'Of the answer; 503 stands nowhere, since what is not recorded is not answered.' },
  answered: {
    type: ['integer', 'null'],
    minimum: 0,
    description: 'Records in the answer; null where that says nothing.',
  },
  requestId: { ...string, description: 'As in the log and in X-Request-Id.' },
})

/** GET /v1/reads */
export const readPage = object(
  'Reads of the audit trail, newest first; next is absent on the last page.',
  { reads: list('Newest first.', read), next: string },
  ['next'],
)
