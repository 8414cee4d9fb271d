import type { FactDocument } from '../../documents/facts.ts'
import type { Policy } from '../../documents/policy.ts'
import { ImagegateError } from '../../errors.ts'
import { familyOf } from '../../evaluation/family.ts'
import { type GivenOptions, resolveOptions } from '../../evaluation/options.ts'
import type { Base } from './slots.ts'

/** A document by its name, from which witnesses may be made. */
export interface NamedDocument {
  readonly name: string
  readonly document: FactDocument
}

const types: readonly GivenOptions[] = [{}, { importAs: 'others-linux' }, { importAs: 'customized-linux' }]

const bare: Readonly<Record<Policy['family'], FactDocument['os']>> = {
  'windows-server': { type: 'windows' },
  linux: { type: 'linux' },
  'nonstandard-linux': { type: 'linux' },
  unidentified: undefined,
}

function bareDocument(family: Policy['family']): NamedDocument {
  const os = bare[family]
  const at = '2020-12-30T00:00:00Z'
  const source = { pointers: [''], collector: 'none', version: '0', method: 'none', basis: 'attested', at } as const
  const document: FactDocument = {
    schema: 'imagegate.facts/1',
    ...(os === undefined ? {} : { os }),
    collection: { sources: [{ ...source, pointers: [''] }] },
  }
  return { name: 'a document without facts', document }
}

function isOf(family: Policy['family'], document: FactDocument, options: Base['options']): boolean {
  try {
    return familyOf(document, options) === family
  } catch (error) {
    if (error instanceof ImagegateError) return false
    throw error
  }
}

/** The documents that a family judges, each with every type of import that leads to it; one that states next to nothing is always there. */
export function basesOf(family: Policy['family'], documents: readonly NamedDocument[]): Base[] {
  return [...documents, bareDocument(family)].flatMap(({ name, document }) =>
    types
      .map(resolveOptions)
      .flatMap((options) => (isOf(family, document, options) ? [{ name, document, options }] : [])),
  )
}
