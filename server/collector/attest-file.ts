import { ImagegateError, type Problem } from '../errors.ts'
import { parseFacts } from '../facts/parse.ts'
import { isAbove } from '../facts/pointer.ts'
import { schemaProblem } from '../schemas.ts'
import { strictAjv } from '../validators.ts'
import { programVersion } from '../version.ts'
import type { Attestation } from './attest.ts'

interface AttestationFile {
  readonly schema: 'imagegate.attestation/1'
  /** Who vouches. */
  readonly by: string
  /** When; RFC 3339, UTC. */
  readonly at: string
  /** How they know. */
  readonly how?: string
  readonly facts: Readonly<Record<string, unknown>>
}

const attestationSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['schema', 'by', 'at', 'facts'],
  properties: {
    schema: { const: 'imagegate.attestation/1' },
    by: { type: 'string', minLength: 1, maxLength: 128 },
    at: { type: 'string', maxLength: 35, format: 'date-time', pattern: 'Z$' },
    how: { type: 'string', minLength: 1, maxLength: 500 },
    facts: { type: 'object', minProperties: 1, propertyNames: { not: { enum: ['schema', 'collection'] } } },
  },
}

/** The facts stand one level deeper in the file than in the document that they are checked as. */
function inFile(problem: Problem, file: string): Problem {
  const { pointer = '', message } = problem
  const place =
    isAbove('/collection', pointer) || isAbove('/schema', pointer) ? '' : pointer === '' ? '/facts' : `/facts${pointer}`
  return { file, pointer: place, message }
}

/**
 * Reads what somebody attests, already parsed from YAML or JSON: schema, by, at, how, and facts by the schema of facts.
 * Throws ATTESTATION_INVALID or SECRET_REFUSED with the pointer of every problem.
 */
export function parseAttestation(value: unknown, file: string): Attestation {
  const isAttestationFile = strictAjv(true).compile<AttestationFile>(attestationSchema)
  if (!isAttestationFile(value)) {
    const problems = (isAttestationFile.errors ?? []).map((error) => ({ ...schemaProblem(error), file }))
    throw new ImagegateError('ATTESTATION_INVALID', 'The attestation is not one of imagegate.attestation/1.', {
      problems,
    })
  }
  const { at, by, facts, how } = value
  const origin = {
    collector: by,
    version: programVersion(),
    method: how === undefined ? '--attest' : `--attest: ${how}`,
    basis: 'attested',
    at,
  } as const
  const document = { schema: 'imagegate.facts/1', ...facts, collection: { sources: [{ pointers: [''], ...origin }] } }
  try {
    const {
      schema: _schema,
      collection: _collection,
      ...given
    } = parseFacts(Buffer.from(JSON.stringify(document))).document
    return { facts: given, origin }
  } catch (error) {
    if (!(error instanceof ImagegateError)) throw error
    const problems = error.problems.map((problem) => inFile(problem, file))
    const code = error.code === 'FACTS_INVALID' ? 'ATTESTATION_INVALID' : error.code
    throw new ImagegateError(code, `The attestation: ${error.message}`, { problems })
  }
}
