import type { ErrorObject } from 'ajv'
import { pointerTokens } from '../../facts/pointer.ts'
import { type Kind, schema, schemaProblem } from '../../schemas.ts'
import { nearest } from '../nearest.ts'
import { type Found, type Head, meantMend } from './head.ts'

const error = (code: string, says: string, mend: string): Head => ({ code, severity: 'error', says, mend })

/** What the text and the schema of a file can have against it. */
export const schemaHeads = {
  syntax: error('yaml-syntax', 'The file is no YAML 1.2 with unique names.', 'Correct the text at this place.'),
  source: error(
    'missing-source',
    'A rule does not say where its requirement stands.',
    'State source with document, revision and section.',
  ),
  remediation: error(
    'missing-remediation',
    'A case does not say what to do about it.',
    'State remediation with a stage and at least one step.',
  ),
  collect: error(
    'missing-collection-hint',
    'A rule does not say how to obtain the facts that it needs.',
    'State collect: where the facts stand, or the command that prints them.',
  ),
  member: error('missing-member', 'A member that every such object has is missing.', 'State the member.'),
  unknown: error('unknown-member', 'A member has a name that means nothing here.', 'Correct its name or remove it.'),
  operator: error('unknown-operator', 'There is no such operator.', 'Use an operator of schemas/policy.schema.json.'),
  fact: error('unknown-fact', 'There is no such section of the fact document.', 'Use a section of the fact document.'),
  date: error(
    'malformed-date',
    'A date or an instant has not the form of one.',
    'Write a date as 2020-12-30, an instant as 2020-12-30T00:00:00Z.',
  ),
  version: error(
    'malformed-version',
    'A version is no semantic version.',
    'Write it quoted and of three numbers, "1.0.0".',
  ),
  id: error(
    'malformed-id',
    'An id has not the form of one.',
    'Write a rule as linux.some-words, a requirement as L-21.',
  ),
  path: error('malformed-path', 'A path is no JSON Pointer.', 'Begin it and each of its names with a slash.'),
  other: error('schema', 'The file differs from its schema in another way.', 'Correct it as the message says.'),
} as const

function propertyNames(node: unknown, names: Set<string>): Set<string> {
  if (typeof node !== 'object' || node === null) return names
  for (const [key, child] of Object.entries(node)) {
    if (key === 'properties') for (const name of Object.keys(child)) names.add(name)
    if (key !== 'examples') propertyNames(child, names)
  }
  return names
}

function headOf({ keyword, params, instancePath }: ErrorObject): Head {
  const tokens = pointerTokens(instancePath)
  const missing =
    keyword === 'required' || keyword === 'dependentRequired' ? String(params['missingProperty']) : undefined
  const names = [...tokens, ...(missing === undefined ? [] : [missing])]
  const last = names.at(-1)
  const empty = missing !== undefined || keyword === 'minLength' || keyword === 'minItems' || keyword === 'type'
  if (keyword === 'additionalProperties') return schemaHeads.unknown
  if (empty && names[2] === 'source')
    return last === 'revision' && missing === undefined ? schemaHeads.date : schemaHeads.source
  if (empty && names[2] === 'cases' && names[4] === 'remediation' && last !== 'shell' && last !== 'command')
    return schemaHeads.remediation
  if (empty && names[2] === 'collect') return schemaHeads.collect
  if (missing !== undefined) return schemaHeads.member
  if (keyword === 'enum' && last === 'operator') return schemaHeads.operator
  if (keyword === 'enum' && last === 'fact') return schemaHeads.fact
  if (last === 'effectiveFrom' || last === 'revision' || last === 'at') return schemaHeads.date
  if (last === 'version') return schemaHeads.version
  if (last === 'id' || last === 'whenFails' || names.at(-2) === 'requirements') return schemaHeads.id
  return last === 'path' || last === 'of' ? schemaHeads.path : schemaHeads.other
}

function valueAt(value: unknown, tokens: readonly string[]): unknown {
  return tokens.reduce<unknown>((node, token) => {
    return typeof node === 'object' && node !== null ? Reflect.get(node, token) : undefined
  }, value)
}

/** One error of ajv as a finding: a member that is missing is placed at the object, a wrong one at itself. */
export function schemaFinding(kind: Kind, value: unknown, error: ErrorObject): { head: Head; found: Found } {
  const head = headOf(error)
  const { pointer = '', message } = schemaProblem(error)
  const tokens = pointerTokens(pointer)
  const given = head === schemaHeads.unknown ? tokens.at(-1) : valueAt(value, tokens)
  const allowed: unknown = error.params['allowedValues']
  const known =
    head === schemaHeads.unknown
      ? propertyNames(schema(kind), new Set())
      : Array.isArray(allowed)
        ? allowed.map(String)
        : []
  const meant = typeof given === 'string' ? nearest(given, known) : undefined
  return { head, found: { place: tokens, message, ...meantMend(meant) } }
}
