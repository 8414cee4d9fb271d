import { type ErrorCode, ImagegateError, type Problem } from '../errors.ts'
import { pointerTo } from './pointer.ts'
import { secretIn } from './secrets.ts'

const maxDepth = 32
const maxMembers = 4096
const forbiddenNames = new Set(['__proto__', 'constructor', 'prototype'])

/** Members whose values are digests and UUIDs by type, and are not examined for secrets. */
const typedMembers = new Set(['digest', 'uuid'])

/** The walk's state; the path becomes a pointer only when there is something to report. */
interface Walk {
  names: number
  readonly path: (string | number)[]
  readonly secrets: Problem[]
}

function pointerOf(walk: Walk): string {
  return walk.path.reduce<string>(pointerTo, '')
}

function refuse(walk: Walk, code: ErrorCode, message: string): ImagegateError {
  return new ImagegateError(code, message, { problems: [{ pointer: pointerOf(walk), message }] })
}

function checkText(text: string, walk: Walk): void {
  if (!text.isWellFormed()) throw refuse(walk, 'TEXT_NOT_UNICODE', 'A string here holds half of a surrogate pair.')
  const pattern = secretIn(text)
  if (pattern === undefined) return
  walk.secrets.push({ pointer: pointerOf(walk), message: `The value matches the secret pattern ${pattern}.` })
}

function checkName(name: string, walk: Walk): void {
  walk.names += 1
  if (forbiddenNames.has(name)) throw refuse(walk, 'NAME_FORBIDDEN', `A member here is named ${name}.`)
  if (!name.isWellFormed()) throw refuse(walk, 'TEXT_NOT_UNICODE', 'A name here holds half of a surrogate pair.')
  const pattern = secretIn(name)
  if (pattern === undefined) return
  const pointer = pointerTo(pointerOf(walk), '(redacted)')
  walk.secrets.push({ pointer, message: `A member's name matches the secret pattern ${pattern}.` })
}

function visitMember(token: string | number, value: unknown, walk: Walk): void {
  if (typeof value !== 'string' && (typeof value !== 'object' || value === null)) return
  walk.path.push(token)
  if (typeof value === 'object') visitMembers(value, walk)
  else if (typeof token === 'number' || !typedMembers.has(token)) checkText(value, walk)
  walk.path.pop()
}

function checkSize(size: number, walk: Walk): void {
  if (size > maxMembers)
    throw refuse(walk, 'DOCUMENT_TOO_LONG', `Of ${size} members here at most ${maxMembers} are read.`)
}

function visitMembers(value: object, walk: Walk): void {
  if (walk.path.length >= maxDepth)
    throw refuse(walk, 'DOCUMENT_TOO_DEEP', `More than ${maxDepth} levels are nested here.`)
  if (Array.isArray(value)) {
    checkSize(value.length, walk)
    for (const [index, inner] of value.entries()) visitMember(index, inner, walk)
    return
  }
  const entries = Object.entries(value)
  checkSize(entries.length, walk)
  for (const [name, inner] of entries) {
    checkName(name, walk)
    visitMember(name, inner, walk)
  }
}

/**
 * Walks a parsed JSON value once and returns how many member names it holds.
 * Throws NAME_FORBIDDEN, TEXT_NOT_UNICODE, DOCUMENT_TOO_DEEP, DOCUMENT_TOO_LONG or SECRET_REFUSED.
 */
export function inspect(value: unknown): number {
  const walk: Walk = { names: 0, path: [], secrets: [] }
  if (typeof value === 'string') checkText(value, walk)
  else if (typeof value === 'object' && value !== null) visitMembers(value, walk)
  if (walk.secrets.length > 0) {
    const detail = 'What looks like a secret stands in the document; it was not kept.'
    throw new ImagegateError('SECRET_REFUSED', detail, { problems: walk.secrets })
  }
  return walk.names
}
