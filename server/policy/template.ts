import type { FactDocument } from '../documents/facts.ts'
import { isObject, pointerTokens, resolveTokens } from '../facts/pointer.ts'
import { readPointer, type Scope } from './scope.ts'
import { escapeText, quotePosix, quotePowerShell, quoteText } from './text.ts'

/** How the values of a template are written: for people, or as words of a command. */
export type Quoting = 'text' | 'posix' | 'powershell'

/** Pointers of the elements that the deciding counts selected or left undecided. */
export interface Selection {
  readonly selected: readonly string[]
  readonly undecided: readonly string[]
}

/** The formats that a placeholder may name. */
export const formats = ['bytes', 'list', 'integer', 'plain'] as const
type Format = (typeof formats)[number]

/** One placeholder, parsed. `of` tells where its path starts. */
export interface Placeholder {
  readonly of: 'document' | 'selected' | 'undecided'
  /** For the document a whole pointer, else a pointer inside the element, empty for the element's own pointer. */
  readonly path: string
  readonly format: Format | undefined
}

type Part = string | Placeholder

const placeholder = /\{(selected|undecided)?((?:\/[A-Za-z0-9_.-]+)*)(?:\|([a-z]+))?\}/g

function isFormat(text: string): text is Format {
  return formats.some((format) => format === text)
}

/** Splits a template into texts and placeholders. Throws a RangeError for a brace that begins none, or an unknown format. */
export function parseTemplate(template: string): Part[] {
  const parts: Part[] = []
  let from = 0
  const text = (until: number) => {
    const piece = template.slice(from, until)
    if (/[{}]/.test(piece)) throw new RangeError(`A brace in "${piece}" belongs to no placeholder.`)
    if (piece !== '') parts.push(piece)
  }
  for (const match of template.matchAll(placeholder)) {
    const [whole, root, path = '', format] = match
    if (format !== undefined && !isFormat(format)) throw new RangeError(`There is no format ${format}.`)
    if (root === undefined && path === '') throw new RangeError('A placeholder needs a pointer.')
    text(match.index)
    parts.push({ of: root === 'selected' || root === 'undecided' ? root : 'document', path, format })
    from = match.index + whole.length
  }
  text(template.length)
  return parts
}

function gibibytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let size = bytes
  let unit = 0
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024
    unit += 1
  }
  // Rounding down: a size just below a bound must not read as the bound.
  const shown = Number.isInteger(size) ? `${size}` : `${Math.floor(size * 100) / 100}`
  return unit === 0 ? `${bytes} bytes` : `${shown} ${units[unit]} (${bytes} bytes)`
}

function isText(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

function showText(value: unknown, format: Format | undefined): string {
  if (value === undefined) return '(not collected)'
  if (Array.isArray(value)) {
    if (value.length === 0) return '(none)'
    const shown = value.slice(0, 16).map((element) => showText(element, format))
    return value.length > 16 ? `${shown.join(', ')} and ${value.length - 16} more` : shown.join(', ')
  }
  if (typeof value === 'number') return format === 'bytes' ? gibibytes(value) : `${value}`
  if (typeof value === 'string')
    return format === 'plain' ? escapeText(value.slice(0, 256).toWellFormed()) : quoteText(value)
  return String(value)
}

function showWord(value: unknown, quote: (text: string) => string): string {
  const values = Array.isArray(value) ? value : [value]
  const words = values.filter(isText).map((one) => quote(String(one).slice(0, 1024).toWellFormed()))
  return words.length === 0 ? quote('VALUE-NOT-COLLECTED') : words.join(' ')
}

function elementValues(pointers: readonly string[], path: string, facts: FactDocument): unknown[] {
  return pointers.flatMap((pointer) => {
    const value = path === '' ? pointer : resolveTokens(facts, pointerTokens(`${pointer}${path}`))
    return value === undefined ? [] : [value]
  })
}

/** A parsed template with the values of one evaluation in it. */
export function renderTemplate(parts: readonly Part[], scope: Scope, selection: Selection, quoting: Quoting): string {
  const quote = quoting === 'posix' ? quotePosix : quotePowerShell
  const rendered = parts.map((part) => {
    if (typeof part === 'string') return part
    const value =
      part.of === 'document'
        ? readPointer(part.path)(scope, undefined)
        : elementValues(selection[part.of], part.path, scope.facts)
    if (isObject(value)) return ''
    return quoting === 'text' ? showText(value, part.format) : showWord(value, quote)
  })
  return rendered.join('')
}
