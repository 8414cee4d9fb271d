import type { FactDocument } from '../documents/facts.ts'
import type { Policy } from '../documents/policy.ts'
import type { Options } from '../documents/verdict.ts'
import { ImagegateError } from '../errors.ts'
import { familyOf } from '../evaluation/family.ts'
import type { World } from '../policy/worlds.ts'

type Family = Policy['family']
type OsType = NonNullable<FactDocument['os']>['type']

const osTypes: readonly OsType[] = ['linux', 'freebsd', 'windows', undefined]
const importTypes: readonly Options['importAs'][] = ['none', 'others-linux', 'customized-linux']

function selects(type: OsType, importAs: Options['importAs'], family: Family): boolean {
  const os = type === undefined ? {} : { os: { type } }
  const facts: FactDocument = { schema: 'imagegate.facts/1', collection: { sources: [] }, ...os }
  try {
    return familyOf(facts, { importAs, systemDisk: { requested: false } }) === family
  } catch (error) {
    if (error instanceof ImagegateError) return false
    throw error
  }
}

/** Which of the facts and options that choose a family conditions read. */
export interface Reads {
  readonly osType: boolean
  readonly importAs: boolean
  readonly requested: boolean
  readonly size: boolean
}

/** From the pointers that conditions read. */
export function readsOf(pointers: ReadonlySet<string>): Reads {
  return {
    osType: pointers.has('/os/type'),
    importAs: pointers.has('/request/importAs'),
    requested: pointers.has('/request/systemDisk/requested'),
    size: pointers.has('/request/systemDisk/sizeBytes'),
  }
}

/**
 * Whether a world may be one that the family is asked about: its system and import type choose the family, and options are stated as they always
 * are. In a world that is not complete, absence may still be filled. What is not read may be anything.
 */
export function isPossible({ facts, request }: World, complete: boolean, family: Family, reads: Reads): boolean {
  const type = facts.os?.type
  const importAs: Options['importAs'] | undefined = request.importAs
  const { requested, sizeBytes }: Partial<Options['systemDisk']> = request.systemDisk ?? {}
  if (reads.osType && (type !== undefined || complete) && !importTypes.some((one) => selects(type, one, family)))
    return false
  if (reads.importAs && importAs !== undefined && !osTypes.some((one) => selects(one, importAs, family))) return false
  if (!complete) return true
  if ((reads.importAs && importAs === undefined) || (reads.requested && requested === undefined)) return false
  return !(reads.requested && reads.size) || requested === (sizeBytes !== undefined)
}
