import { createPatch } from 'rfc6902'
import type { Case, Options as CaseOptions } from '../documents/policy-test.ts'
import type { Found } from './seek.ts'

/** A situation as a case would have it: a base document, a patch on it, and options where they differ from the base's. */
export interface Change {
  /** Path of the base document. */
  readonly base: string
  readonly patch: Case['patch']
  readonly options?: CaseOptions
}

/** Options as a case gives them. */
function optionsOf({ situation: { request } }: Found): CaseOptions {
  const { importAs, systemDisk } = request
  return {
    ...(importAs === 'none' ? {} : { importAs }),
    ...(systemDisk.sizeBytes === undefined ? {} : { systemDiskBytes: systemDisk.sizeBytes }),
  }
}

/** A found situation as a change of its base. */
export function changeOf(found: Found): Change {
  const { base, situation } = found
  const patch = createPatch(base.situation.facts, situation.facts)
  const options = optionsOf(found)
  const same = JSON.stringify(situation.request) === JSON.stringify(base.situation.request)
  return { base: base.path, patch, ...(same ? {} : { options }) }
}
