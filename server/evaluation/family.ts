import type { FactDocument, Os } from '../documents/facts.ts'
import type { Policy } from '../documents/policy.ts'
import type { Options } from '../documents/verdict.ts'
import { ImagegateError } from '../errors.ts'

type Family = Policy['family']

/** The one table that leads from an operating system to a family of policies. */
const families: Readonly<Record<NonNullable<Os['type']>, Family>> = {
  windows: 'windows-server',
  linux: 'linux',
  freebsd: 'linux',
}

/** The family of a document: the operator's choice, else by its operating system, else unidentified. Throws IMPORT_AS_CONFLICT. */
export function familyOf(facts: FactDocument, options: Options): Family {
  const type = facts.os?.type
  if (options.importAs === 'none') return type === undefined ? 'unidentified' : families[type]
  if (type === 'windows') {
    throw new ImagegateError(
      'IMPORT_AS_CONFLICT',
      `The facts tell of Windows, which cannot be imported as ${options.importAs}.`,
    )
  }
  return 'nonstandard-linux'
}
