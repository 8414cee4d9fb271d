import { readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { EquivalentMutants } from './documents/equivalent-mutants.ts'
import type { FactDocument } from './documents/facts.ts'
import type { Policy } from './documents/policy.ts'
import type { PolicyBundle } from './documents/policy-bundle.ts'
import type { PolicyDiff } from './documents/policy-diff.ts'
import type { PolicyImpact } from './documents/policy-impact.ts'
import type { PolicyLock } from './documents/policy-lock.ts'
import type { PolicyTest } from './documents/policy-test.ts'
import type { Verdict } from './documents/verdict.ts'
import type { Problem } from './errors.ts'

interface Kinds {
  readonly facts: FactDocument
  readonly policy: Policy
  readonly 'policy-test': PolicyTest
  readonly 'equivalent-mutants': EquivalentMutants
  readonly 'policy-lock': PolicyLock
  readonly 'policy-impact': PolicyImpact
  readonly 'policy-bundle': PolicyBundle
  readonly 'policy-diff': PolicyDiff
  readonly verdict: Verdict
}

/** The kinds of documents that have a schema. */
export type Kind = keyof Kinds

/** Every kind, in the order of the data's flow. */
export const kinds: readonly Kind[] = [
  'facts',
  'policy',
  'policy-test',
  'equivalent-mutants',
  'policy-lock',
  'policy-bundle',
  'policy-diff',
  'policy-impact',
  'verdict',
]

function read(kind: Kind): { text: string; schema: Record<string, unknown> } {
  const text = readFileSync(new URL(`../schemas/${kind}.schema.json`, import.meta.url), 'utf8')
  return { text, schema: JSON.parse(text) }
}

const files = {
  facts: read('facts'),
  policy: read('policy'),
  'policy-test': read('policy-test'),
  'equivalent-mutants': read('equivalent-mutants'),
  'policy-lock': read('policy-lock'),
  'policy-impact': read('policy-impact'),
  'policy-bundle': read('policy-bundle'),
  'policy-diff': read('policy-diff'),
  verdict: read('verdict'),
}

/** A schema's text, as the file has it. */
export function schemaText(kind: Kind): string {
  return files[kind].text
}

/** A schema, parsed. */
export function schema(kind: Kind): Readonly<Record<string, unknown>> {
  return files[kind].schema
}

/**
 * An ajv that changes nothing in what it validates (invariant 7). The schemas are our own and a test holds them against
 * their meta-schema; doing it in every process takes longer than compiling them.
 */
export function strictAjv(allErrors: boolean): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, inlineRefs: false, validateSchema: false, allErrors })
  addFormats.default(ajv)
  return ajv
}

const first = strictAjv(false)
const all = strictAjv(true)

function validator<K extends Kind>(kind: K, ajv: Ajv2020): ValidateFunction<Kinds[K]> {
  const id = `urn:imagegate:schema:${kind}:1`
  const known = ajv.getSchema<Kinds[K]>(id)
  return known ?? ajv.compile<Kinds[K]>(files[kind].schema)
}

/** Text for one ajv error. It names what is allowed and never what was found: values may be secrets, or hostile. */
export function schemaProblem(error: ErrorObject): Problem {
  const params: Record<string, unknown> = error.params
  const name = params['additionalProperty'] ?? params['propertyName'] ?? params['unevaluatedProperty']
  const allowed = params['allowedValues'] ?? params['allowedValue']
  if (typeof name === 'string') {
    const shown = name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')
    return { pointer: `${error.instancePath}/${shown}`, message: 'No such member is known here.' }
  }
  const told = allowed === undefined ? '' : `: ${JSON.stringify(allowed)}`
  return { pointer: error.instancePath, message: `It ${error.message ?? 'is not valid'}${told}.` }
}

/** Problems that say nothing by themselves: the branches' own problems stand beside them. */
const composite = new Set(['oneOf', 'if', 'propertyNames'])

/** True for a document that matches; the fast path, which stops at the first problem. */
export function matches<K extends Kind>(kind: K, value: unknown): value is Kinds[K] {
  return validator(kind, first)(value)
}

/** Compiles a kind's validator ahead of its first use, which otherwise waits for it about half a second. */
export function prepareValidator(kind: Kind): void {
  validator(kind, first)
}

/** Every error of a document that does not match, as ajv has it, in the document's order. */
export function errorsOf(kind: Kind, value: unknown): readonly ErrorObject[] {
  const validate = validator(kind, all)
  validate(value)
  const errors = validate.errors ?? []
  const telling = errors.filter((error) => !composite.has(error.keyword))
  return telling.length > 0 ? telling : errors
}

/** Every problem of a document that does not match, in the document's order. */
export function problemsOf(kind: Kind, value: unknown): Problem[] {
  return errorsOf(kind, value).map(schemaProblem)
}
