import { canonicalize, sha256 } from '../digest.ts'
import type { FactDocument } from '../documents/facts.ts'
import { ImagegateError } from '../errors.ts'
import { matches, problemsOf } from '../schemas.ts'
import { coverageProblems } from './coverage.ts'
import { inspect } from './inspect.ts'
import { countNames } from './names.ts'

/** A valid fact document with its identities. */
export interface ParsedFacts {
  readonly document: FactDocument
  /** Canonical form (RFC 8785) of the whole document. */
  readonly canonical: string
  /** SHA-256 of the canonical form. */
  readonly documentDigest: string
  /** SHA-256 of the canonical form of the sections alone: equal for two collections of one image. */
  readonly factsDigest: string
}

/** A fact document may have this many bytes. */
export const maxDocumentBytes = 1_048_576

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

function decode(body: Uint8Array): string {
  if (body.byteLength > maxDocumentBytes) {
    throw new ImagegateError(
      'BODY_TOO_LARGE',
      `The document has ${body.byteLength} bytes; at most ${maxDocumentBytes} are read.`,
    )
  }
  try {
    return utf8.decode(body)
  } catch (cause) {
    throw new ImagegateError('TEXT_NOT_UNICODE', 'The body is not UTF-8.', { cause })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    throw new ImagegateError('JSON_MALFORMED', 'The body is not one JSON document.')
  }
}

/** A document that is known to be valid, with its identities. */
export function identifyFacts(document: FactDocument): ParsedFacts {
  const names = Object.keys(document).sort()
  const members = names.map(
    (name) => [name, `${JSON.stringify(name)}:${canonicalize(Reflect.get(document, name))}`] as const,
  )
  const join = (parts: typeof members) => `{${parts.map(([, text]) => text).join(',')}}`
  const canonical = join(members)
  const sections = join(members.filter(([name]) => name !== 'schema' && name !== 'collection'))
  return { document, canonical, documentDigest: sha256(canonical), factsDigest: sha256(sections) }
}

/**
 * Parses a fact document from its bytes without changing anything in it.
 * Throws BODY_TOO_LARGE, TEXT_NOT_UNICODE, JSON_MALFORMED, NAME_FORBIDDEN, NAME_DUPLICATE, DOCUMENT_TOO_DEEP,
 * DOCUMENT_TOO_LONG, SECRET_REFUSED or FACTS_INVALID with every problem's pointer.
 */
export function parseFacts(body: Uint8Array): ParsedFacts {
  const text = decode(body)
  const value = parseJson(text)
  const kept = inspect(value)
  if (countNames(text) !== kept) {
    throw new ImagegateError('NAME_DUPLICATE', 'The body writes a member name twice in one object.')
  }
  if (!matches('facts', value)) {
    throw new ImagegateError('FACTS_INVALID', 'The document does not match imagegate.facts/1.', {
      problems: problemsOf('facts', value),
    })
  }
  const problems = coverageProblems(value)
  if (problems.length > 0) {
    throw new ImagegateError('FACTS_INVALID', 'Some facts have no source.', { problems })
  }
  return identifyFacts(value)
}
