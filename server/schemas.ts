import { readFileSync } from 'node:fs'
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js'
import type { Checkpoint } from './documents/checkpoint.ts'
import type { EquivalentMutants } from './documents/equivalent-mutants.ts'
import type { ExportManifest } from './documents/export.ts'
import type { FactDocument } from './documents/facts.ts'
import type { Policy } from './documents/policy.ts'
import type { PolicyBundle } from './documents/policy-bundle.ts'
import type { PolicyDiff } from './documents/policy-diff.ts'
import type { PolicyImpact } from './documents/policy-impact.ts'
import type { PolicyLock } from './documents/policy-lock.ts'
import type { PolicyTest } from './documents/policy-test.ts'
import type { InclusionProof } from './documents/proof.ts'
import type { Verdict } from './documents/verdict.ts'
import type { Verification } from './documents/verification.ts'
import type { Problem } from './errors.ts'
import { validatorOf } from './validators.ts'

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
  readonly checkpoint: Checkpoint
  readonly proof: InclusionProof
  readonly export: ExportManifest
  readonly verification: Verification
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
  'checkpoint',
  'proof',
  'export',
  'verification',
]

type SchemaFile = { readonly text: string; readonly schema: Readonly<Record<string, unknown>> }

const files = new Map<Kind, SchemaFile>()

function fileOf(kind: Kind): SchemaFile {
  const known = files.get(kind)
  if (known !== undefined) return known
  const text = readFileSync(new URL(`../schemas/${kind}.schema.json`, import.meta.url), 'utf8')
  const file = { text, schema: JSON.parse(text) }
  files.set(kind, file)
  return file
}

/** A schema's text, as the file has it. */
export function schemaText(kind: Kind): string {
  return fileOf(kind).text
}

/** A schema, parsed. */
export function schema(kind: Kind): Readonly<Record<string, unknown>> {
  return fileOf(kind).schema
}

const validators = new Map<string, ValidateFunction>()

function validator(kind: Kind, allErrors: boolean): ValidateFunction {
  const key = `${kind} ${allErrors}`
  const made = validators.get(key) ?? validatorOf(schema(kind), allErrors)
  validators.set(key, made)
  return made
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
  return validator(kind, false)(value)
}

/** Makes a kind's validator ahead of its first use, which otherwise waits for it. */
export function prepareValidator(kind: Kind): void {
  validator(kind, false)
}

/** Every error of a document that does not match, as ajv has it, in the document's order. */
export function errorsOf(kind: Kind, value: unknown): readonly ErrorObject[] {
  const validate = validator(kind, true)
  validate(value)
  const errors = validate.errors ?? []
  const telling = errors.filter((error) => !composite.has(error.keyword))
  return telling.length > 0 ? telling : errors
}

/** Every problem of a document that does not match, in the document's order. */
export function problemsOf(kind: Kind, value: unknown): Problem[] {
  return errorsOf(kind, value).map(schemaProblem)
}
