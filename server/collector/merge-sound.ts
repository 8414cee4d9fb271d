import { isObject, member, pointerTo, pointerTokens, resolveTokens } from '../facts/pointer.ts'
import { secretIn } from '../facts/secrets.ts'
import { matches, problemsOf } from '../schemas.ts'
import type { Facts, Missing } from './part.ts'

/** What a document's other members may need is left free of its limit of 1 MiB. Unit: bytes. */
const maxBytes = 786_432
const rounds = 64
const typedMembers = new Set(['digest', 'uuid'])

/** Sound facts, and what was taken out of them. */
export interface Sound {
  readonly facts: Facts
  readonly removed: readonly Missing[]
}

function badText(text: string): string | undefined {
  if (!text.isWellFormed()) return 'invalid'
  return secretIn(text) === undefined ? undefined : 'withheld'
}

function badTexts(value: unknown, pointer: string, found: Map<string, string>): void {
  if (typeof value === 'string') {
    const code = badText(value)
    if (code !== undefined) found.set(pointer, code)
  }
  if (typeof value !== 'object' || value === null) return
  for (const [token, child] of Object.entries(value)) {
    const typed = !Array.isArray(value) && typedMembers.has(token)
    if (!typed || typeof child !== 'string') badTexts(child, pointerTo(pointer, token), found)
  }
}

/** What is to go: the member itself, or the list when it is an element, because a list that is present is complete. */
function cutOf(facts: Facts, tokens: readonly string[]): readonly string[] {
  const parent = tokens.slice(0, -1)
  return Array.isArray(resolveTokens(facts, parent)) ? cutOf(facts, parent) : tokens
}

function remove(facts: Facts, tokens: readonly string[]): boolean {
  const parent = resolveTokens(facts, tokens.slice(0, -1))
  const name = tokens.at(-1)
  if (name === undefined || typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, name)) return false
  return Reflect.deleteProperty(parent, name)
}

const reasons: Readonly<Record<string, string>> = {
  withheld: 'What was found here looks like a secret, and was not kept.',
  invalid: 'What was found here is no value that a fact document can hold.',
  'too-large': 'What was found here had no room in the document.',
}

/** Pointers of what cannot stay, with the code of the reason. */
function faults(facts: Facts): Map<string, string> {
  const found = new Map<string, string>()
  badTexts(facts, '', found)
  if (found.size > 0) return found
  const document = { schema: 'imagegate.facts/1', ...facts, collection: { sources: [placeholder] } }
  // Telling every problem needs a validator of its own, which takes a while to compile.
  const problems = matches('facts', document) ? [] : problemsOf('facts', document)
  for (const { pointer } of problems) if (pointer) found.set(pointer, 'invalid')
  if (found.size > 0) return found
  if (Buffer.byteLength(JSON.stringify(facts)) > maxBytes) {
    const parts = Object.entries(facts).flatMap(([name, section]) => {
      const members = Array.isArray(section) ? [] : Object.keys(section)
      if (members.length === 0) return [{ pointer: `/${name}`, size: JSON.stringify(section).length }]
      return members.map((key) => {
        return { pointer: pointerTo(`/${name}`, key), size: JSON.stringify(member(section, key))?.length ?? 0 }
      })
    })
    const [largest] = parts.toSorted((a, b) => b.size - a.size)
    if (largest !== undefined) found.set(largest.pointer, 'too-large')
  }
  return found
}

const placeholder = {
  pointers: [''],
  collector: 'imagegate',
  version: '0',
  method: '-',
  basis: 'observed',
  at: '2000-01-01T00:00:00Z',
}

/** An object without members says nothing. */
function dropEmpty(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, child] of Object.entries(value)) {
    dropEmpty(child)
    if (isObject(child) && !Array.isArray(value) && Object.keys(child).length === 0) Reflect.deleteProperty(value, name)
  }
}

/** Takes out whatever a fact document must not hold: what looks like a secret, what the schema refuses, what is too much. */
export function soundFacts(given: Facts): Sound {
  const facts = structuredClone(given)
  const removed: Missing[] = []
  for (let round = 0; round < rounds; round++) {
    dropEmpty(facts)
    const found = faults(facts)
    if (found.size === 0) return { facts, removed }
    for (const [pointer, code] of found) {
      const cut = cutOf(facts, pointerTokens(pointer))
      if (!remove(facts, cut)) continue
      removed.push({ pointer: cut.reduce<string>(pointerTo, ''), code, reason: reasons[code] ?? code })
    }
  }
  return { facts: {}, removed: [{ pointer: '', code: 'invalid', reason: 'The facts could not be put in order.' }] }
}
