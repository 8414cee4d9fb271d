import { stringify } from 'yaml'
import type { SuggestedCase } from '../authoring/suggest.ts'
import type { Change } from '../authoring/suggestion.ts'
import { safeText } from './escape.ts'

const quoted = { singleQuote: false, lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: true } as const

/** A value on one line of YAML. */
export function yamlInline(value: unknown): string {
  return safeText(stringify(value, quoted).trim())
}

/** A change of a base document as the lines of a case beside the policies. */
export function changeLines({ base, patch, options }: Change): string[] {
  return [
    `base: ${yamlInline(base)}`,
    patch.length === 0 ? 'patch: []' : 'patch:',
    ...patch.map((step) => `  - ${yamlInline(step)}`),
    ...(options === undefined ? [] : [`options: ${yamlInline(options)}`]),
  ]
}

/** A suggested case as it would stand in a file of cases; its name is left to whoever takes it. */
export function suggestedLines(suggested: SuggestedCase): string[] {
  const { changes, outcome, messages } = suggested
  return [
    '- name: …',
    ...[
      ...changeLines(suggested),
      `changes: ${yamlInline(changes)}`,
      `outcome: ${outcome}`,
      ...(messages === undefined ? [] : [`messages: ${yamlInline(messages)}`]),
    ].map((line) => `  ${line}`),
  ]
}
