import type { ErrorObject } from 'ajv'
import type { FastifyInstance } from 'fastify'
import { type ErrorCode, ImagegateError, type Problem } from '../errors.ts'
import { strictAjv } from '../validators.ts'

/** The parts of a JSON Schema that a route's query, path or header schema uses. */
export interface PartSchema {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, { readonly description: string; readonly [keyword: string]: unknown }>>
  readonly additionalProperties?: false
  readonly required?: readonly string[]
}

/** The query of an address that has no options. */
export const noQuery: PartSchema = { type: 'object', additionalProperties: false, properties: {} }

function isPart(schema: unknown): schema is PartSchema {
  return typeof schema === 'object' && schema !== null && 'properties' in schema
}

/** A name as it may be repeated: anything but a plain word could be a value that lost its name. */
function shown(name: unknown): string {
  return typeof name === 'string' && /^[A-Za-z][A-Za-z0-9_.-]{0,39}$/.test(name) ? name : '(a name that is no word)'
}

function problemOf(error: ErrorObject, schema: PartSchema): Problem {
  if (error.keyword === 'additionalProperties') {
    const name = shown(error.params['additionalProperty'])
    return { pointer: `/${name}`, message: `${name} is no option of this address.` }
  }
  const name = error.instancePath.slice(1)
  if (error.keyword === 'type') return { pointer: `/${name}`, message: `${name} may stand only once.` }
  return { pointer: `/${name}`, message: `${name} is not valid. ${schema.properties[name]?.description ?? ''}`.trim() }
}

function problemsOf(errors: readonly ErrorObject[], schema: PartSchema): Problem[] {
  const byPointer = new Map<string, Problem>()
  for (const problem of errors.map((error) => problemOf(error, schema))) {
    const { pointer = '' } = problem
    if (!byPointer.has(pointer)) byPointer.set(pointer, problem)
  }
  return [...byPointer.values()]
}

function codeOf(part: string | undefined, problems: readonly Problem[]): ErrorCode {
  if (part === 'headers') return 'IDEMPOTENCY_KEY_INVALID'
  return problems.every(({ pointer }) => pointer === '/cursor') ? 'CURSOR_INVALID' : 'OPTION_INVALID'
}

/**
 * Checks query, path and headers, and changes nothing in them; bodies are checked where they are parsed. Answers are
 * written as they are: no schema strips a member from a verdict.
 */
export function validateParts(app: FastifyInstance): void {
  const ajv = strictAjv(true)
  app.setValidatorCompiler(({ schema, httpPart }) => {
    if (httpPart === 'body' || !isPart(schema)) return () => true
    const validate = ajv.compile(schema)
    return (value: unknown) => {
      if (validate(value)) return true
      const problems = problemsOf(validate.errors ?? [], schema)
      const detail = problems.map(({ message }) => message).join(' ')
      return { error: new ImagegateError(codeOf(httpPart, problems), detail, { problems }) }
    }
  })
  app.setSerializerCompiler(() => (value: unknown) => JSON.stringify(value))
  app.addHook('onRoute', (route) => {
    if (route.url.startsWith('/v1/')) route.schema = { querystring: noQuery, ...route.schema }
  })
}
