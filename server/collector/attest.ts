import type { FactDocument } from '../documents/facts.ts'
import { ImagegateError, type Problem } from '../errors.ts'
import { isAbove, isObject, member, pointerTo, pointerTokens, resolveTokens } from '../facts/pointer.ts'
import { documentOf, eachLeaf, type Merged, mergeFacts, type Origin } from './merge.ts'
import type { Facts } from './part.ts'

/** What somebody vouches for. */
export interface Attestation {
  readonly facts: Facts
  /** Its collector is who attests. */
  readonly origin: Origin
}

function sectionsOf({ schema: _schema, collection: _collection, ...facts }: FactDocument): Facts {
  return facts
}

/** A document's facts, each with its origin: the longest pointer that stands above it. */
function mergedOf(document: FactDocument): Merged {
  const stated = document.collection.sources.flatMap(({ pointers, ...origin }) =>
    pointers.map((pointer) => ({ pointer, origin })),
  )
  const longestFirst = stated.toSorted((a, b) => b.pointer.length - a.pointer.length)
  const origins = new Map<string, Origin>()
  const facts = sectionsOf(document)
  eachLeaf(facts, (pointer) => {
    const source = longestFirst.find((one) => isAbove(one.pointer, pointer))
    if (source !== undefined) origins.set(pointer, source.origin)
  })
  return { facts, origins }
}

/** Attested values stand beside observed ones, never in their place: a list counts as one value. */
function conflicts(observed: unknown, attested: unknown, pointer: string, problems: Problem[]): void {
  if (observed === undefined) return
  if (isObject(observed) && isObject(attested)) {
    for (const [name, value] of Object.entries(attested))
      conflicts(member(observed, name), value, pointerTo(pointer, name), problems)
  } else if (!same(observed, attested)) {
    problems.push({
      pointer,
      message: 'What is attested here contradicts what was found in the image, or what was attested before.',
    })
  }
}

function same(left: unknown, right: unknown): boolean {
  if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) return left === right
  const names = Object.keys(left)
  if (Array.isArray(left) !== Array.isArray(right) || names.length !== Object.keys(right).length) return false
  return names.every((name) => same(member(left, name), member(right, name)))
}

/**
 * A document with what is attested in the place of what is absent, marked as attested. What was missing and is now stated is no longer
 * told as missing. Throws ATTESTATION_INVALID with the pointer of every value that contradicts an observed one.
 */
export function attest(document: FactDocument, attestations: readonly Attestation[]): FactDocument {
  return attestations.reduce((known, { facts, origin }) => {
    const before = mergedOf(known)
    const problems: Problem[] = []
    conflicts(before.facts, facts, '', problems)
    if (problems.length > 0) {
      throw new ImagegateError('ATTESTATION_INVALID', 'The attestation does not fit the image.', { problems })
    }
    const given = mergeFacts([
      { facts: before.facts, origin },
      { facts, origin },
    ])
    const after: Merged = { facts: given.facts, origins: new Map([...given.origins, ...before.origins]) }
    const isNew = (pointer: string) => {
      const tokens = pointerTokens(pointer)
      return resolveTokens(before.facts, tokens) === undefined && resolveTokens(after.facts, tokens) !== undefined
    }
    const missing = (known.collection.missing ?? []).filter(({ pointer }) => !isNew(pointer))
    const [own = { pointers: [''], ...origin }] = known.collection.sources
    const { pointers: _pointers, ...fallback } = own
    return documentOf(after, missing, fallback)
  }, document)
}
