import { strictAjv } from '../../validators.ts'
import { families } from '../families.ts'
import { type Found, type Head, type LintProblem, placed, type ReadSource } from './head.ts'

/** One statement of the source. */
export interface Requirement {
  readonly id: string
  /** The families whose policies judge it; none when it never fails. */
  readonly families: readonly string[]
  readonly statement: string
}

/** policies/requirements.yaml. */
export interface Requirements {
  readonly document: string
  readonly revision: string
  readonly requirements: readonly Requirement[]
}

const text = { type: 'string', minLength: 1, maxLength: 300 }

const validate = strictAjv(true).compile<Requirements>({
  type: 'object',
  additionalProperties: false,
  required: ['document', 'revision', 'requirements'],
  properties: {
    document: text,
    revision: { type: 'string', pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' },
    requirements: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'families', 'statement'],
        properties: {
          id: { type: 'string', pattern: '^[A-Z]-[0-9]{2}$' },
          families: {
            type: 'array',
            items: { enum: families },
          },
          statement: text,
        },
      },
    },
  },
})

/** Heads of the list of requirements itself. */
export const requirementsHeads = {
  malformed: {
    code: 'malformed-requirements',
    severity: 'error',
    says: 'requirements.yaml has not the shape of a list of requirements.',
    mend: 'State document, revision and requirements, each with id, families and statement.',
  },
  duplicate: {
    code: 'duplicate-requirement',
    severity: 'error',
    says: 'An id stands twice in requirements.yaml.',
    mend: 'Give each statement an id of its own.',
  },
} as const satisfies Record<string, Head>

/** The list of requirements, and its problems; undefined when it has not the shape of one. */
export function readRequirements(source: ReadSource): { requirements?: Requirements; problems: LintProblem[] } {
  const { value } = source.yaml
  if (!validate(value)) {
    const problems = (validate.errors ?? []).map(({ instancePath, message = 'is not valid' }) => {
      const found: Found = { place: instancePath.split('/').slice(1), message: `It ${message}.` }
      return placed(requirementsHeads.malformed, source, found)
    })
    return { problems }
  }
  const seen = new Set<string>()
  const problems = value.requirements.flatMap(({ id }, index) => {
    const twice = seen.has(id)
    seen.add(id)
    const found = { place: ['requirements', index, 'id'], message: `The id ${id} stands twice.` }
    return twice ? [placed(requirementsHeads.duplicate, source, found)] : []
  })
  return { requirements: value, problems }
}
