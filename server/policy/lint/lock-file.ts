import type { PolicyLock } from '../../documents/policy-lock.ts'
import { errorsOf, matches } from '../../schemas.ts'
import { type Head, type LintProblem, placed, type ReadSource } from './head.ts'
import { schemaFinding, schemaHeads } from './schema-heads.ts'

/** A lock that YAML can read and JSON cannot. */
export const lockHead: Head = {
  code: 'malformed-lock',
  severity: 'error',
  says: 'policies.lock.json is no JSON.',
  mend: 'Restore the file; imagegate policy release writes it.',
}

/** A folder of policies without a lock. */
export const missingLockHead: Head = {
  code: 'missing-lock',
  severity: 'error',
  says: 'A folder of policies has no policies.lock.json, without which no service loads them.',
  mend: 'Restore it; one without a release is {"schema": "imagegate.policy-lock/1", "policies": []}.',
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The lock, and its problems; undefined when it cannot be used. */
export function readLock(source: ReadSource): { lock?: PolicyLock; problems: LintProblem[] } {
  const { broken, value } = source.yaml
  const { file } = source
  if (broken.length > 0) {
    const { code, severity, mend } = lockHead
    return { problems: broken.map((one) => ({ file, ...one, code, severity, mend })) }
  }
  if (!isJson(source.text)) {
    return { problems: [placed(lockHead, source, { place: [], message: 'It is YAML, but no JSON.' })] }
  }
  if (matches('policy-lock', value)) return { lock: value, problems: [] }
  const problems = errorsOf('policy-lock', value).map((error) => {
    const { head, found } = schemaFinding('policy-lock', value, error)
    return placed(head === schemaHeads.version || head === schemaHeads.date ? head : schemaHeads.other, source, found)
  })
  return { problems }
}
