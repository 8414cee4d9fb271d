import { component, integer, list, object, string } from './schema-parts.ts'

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
