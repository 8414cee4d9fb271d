import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Ajv2020, ValidateFunction } from 'ajv/dist/2020.js'
import { sha256 } from './digest.ts'

// Not an import: loading ajv takes longer than most commands run, and what the build has compiled needs none.
const require = createRequire(import.meta.url)

/** The folder in which the build keeps compiled validators, beside the compiled program; a source tree has none. */
export const compiledFolder = new URL('./validators/', import.meta.url)

/** Where the compiled validator of a schema is kept. */
export function compiledFile(schema: object, allErrors: boolean): URL {
  return new URL(`${sha256(JSON.stringify({ allErrors, schema })).replace(':', '-')}.cjs`, compiledFolder)
}

/**
 * An ajv that changes nothing in what it validates (invariant 7). The schemas are our own and a test holds them against
 * their meta-schema; doing it in every process takes longer than compiling them. With `source`, what it compiles can be written to a file.
 */
export function strictAjv(allErrors: boolean, source = false): Ajv2020 {
  const { Ajv2020: Ajv }: typeof import('ajv/dist/2020.js') = require('ajv/dist/2020.js')
  const addFormats: typeof import('ajv-formats') = require('ajv-formats')
  const options = { strict: true, allowUnionTypes: true, inlineRefs: false, validateSchema: false }
  const ajv = new Ajv({ ...options, allErrors, code: { source } })
  addFormats.default(ajv)
  return ajv
}

/** The validator of a schema, as the build has compiled it; compiled now where it has not. */
export function validatorOf(schema: object, allErrors: boolean): ValidateFunction {
  const file = compiledFile(schema, allErrors)
  if (!existsSync(file)) return strictAjv(allErrors).compile(schema)
  const compiled: ValidateFunction = require(fileURLToPath(file))
  return compiled
}
