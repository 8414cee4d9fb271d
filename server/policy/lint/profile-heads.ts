import type { ProfileCode } from '../profile.ts'
import type { Head } from './head.ts'

const said: Readonly<Record<ProfileCode, readonly [says: string, mend: string]>> = {
  'unknown-path': [
    'A condition reads a fact that the fact document does not have.',
    'Use a path of schemas/facts.schema.json.',
  ],
  'unknown-parameter': [
    'A condition reads a parameter that the policy does not have.',
    'Add the parameter or correct its name.',
  ],
  'unknown-list': ['A count speaks of what is no list of objects.', 'Name a list of schemas/facts.schema.json.'],
  'unknown-placeholder': [
    'A message, step or command quotes a fact that does not exist, or elements where nothing is counted.',
    'Quote a path of schemas/facts.schema.json, a parameter, or a member of the counted elements.',
  ],
  'unknown-rule': ['A rule is named that the policy does not have.', 'Name a rule of this policy.'],
  'malformed-placeholder': [
    'A brace begins no placeholder, or the format is unknown.',
    'Write {/pointer}, or a bar and a format behind the pointer.',
  ],
  'placeholder-not-single': ['A placeholder leads to an object.', 'Quote one of its members.'],
  'operator-misfit': [
    'An operator does not fit the type of the fact.',
    'Use an operator for this type; version: and major: are for versions alone.',
  ],
  'value-type': ['A value has another type than the fact and the operator want.', 'Give a value of that type.'],
  'impossible-value': [
    'A fact is compared with a value that its schema does not list.',
    'Use one of the values that the message lists.',
  ],
  'nested-count': ['A count stands inside a count.', 'Count the elements of one list only.'],
  'duplicate-rule-id': ['Two rules of a policy have one id.', 'Give each rule an id of its own.'],
  'rule-id-family': ["A rule's id does not begin with its family.", 'Begin the id with the family and a dot.'],
  'case-order': [
    'A case without when is not the last, or the last has one.',
    'Let the last case, and it alone, stand without when.',
  ],
}

function headOf(code: string, [says, mend]: readonly [says: string, mend: string]): Head {
  return { code, severity: 'error', says, mend }
}

/** What the profile of conditions and templates has against a policy; the loader refuses the same. */
export function profileHead(code: ProfileCode): Head {
  return headOf(code, said[code])
}

/** All of them. */
export const profileHeads: readonly Head[] = Object.entries(said).map(([code, texts]) => headOf(code, texts))

/** What json-rules-engine itself has against a rule. */
export const engineHead: Head = {
  code: 'engine-refused',
  severity: 'error',
  says: 'json-rules-engine refuses a condition.',
  mend: 'Correct the condition as the message says.',
}
