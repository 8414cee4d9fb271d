import { secretIn } from '../../facts/secrets.ts'
import { GuestError, type GuestFiles } from '../guest.ts'

/** Lines of one file: no configuration that people wrote has more. */
const maxLines = 50_000

/** A text file of the guest; undefined when there is none. Bytes that are no UTF-8 become replacement characters. */
export async function readText(files: GuestFiles, path: string, maxBytes?: number): Promise<string | undefined> {
  return (await files.read(path, maxBytes))?.toString('utf8')
}

/** The text itself, which no longer keeps alive the longer one that it was cut out of. */
export function detached(text: string): string {
  return Buffer.from(text).toString()
}

/** The list itself. Throws a GuestError, too-large, when it is longer: a part of it would be taken for all. What it holds is named in the plural. */
export function atMost<T>(most: number, what: string, list: readonly T[]): readonly T[] {
  if (list.length > most) throw new GuestError('too-large', `There are more than ${most} ${what}.`)
  return list
}

/** The lines of a text, without their ends. Throws a GuestError when there are too many, because what a later one says may count. */
export function linesOf(text: string, most = maxLines): string[] {
  return atMost(most, 'lines in a file', text.split('\n', most + 1)).map((line) =>
    line.endsWith('\r') ? line.slice(0, -1) : line,
  )
}

/** The trimmed lines that are neither empty nor comments. */
export function contentLines(text: string, comments = '#'): string[] {
  return linesOf(text)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !comments.includes(line.charAt(0)))
}

/** The words of a line. */
export function wordsOf(line: string): string[] {
  return line.split(/\s+/).filter((word) => word !== '')
}

/** A value without the quotation marks around it; behind an unquoted value a comment is dropped. */
export function unquote(value: string): string {
  const text = value.trim()
  const quote = text.charAt(0)
  if (quote !== '"' && quote !== "'") return text.split(/\s#/, 1)[0]?.trim() ?? ''
  const end = text.indexOf(quote, 1)
  const inside = text.slice(1, end < 0 ? undefined : end)
  return quote === '"' ? inside.replace(/\\(["\\$`])/g, '$1') : inside
}

/** The assignments of a file in shell syntax, NAME=value a line; the last one of a name counts. Nothing is expanded. */
export function assignments(text: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const line of contentLines(text)) {
    const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)=(.*)$/.exec(line)
    if (match?.[1] !== undefined && match[2] !== undefined) found.set(match[1], unquote(match[2]))
  }
  return found
}

/** True when a name fits a pattern in which * and ? are wildcards and [...] is a set; in time linear in their product. */
export function fits(pattern: string, name: string): boolean {
  const parts = pattern.match(/\[[^\]]+\]|[\s\S]/gu) ?? []
  const one = (part: string, character: string): boolean => {
    if (part === '?') return true
    if (part.length < 3 || !part.startsWith('[')) return part === character
    const negated = part.charAt(1) === '!' || part.charAt(1) === '^'
    const set = part.slice(negated ? 2 : 1, -1)
    let inside = false
    for (let at = 0; at < set.length; at++) {
      const range = set.charAt(at + 1) === '-' && at + 2 < set.length
      inside ||= range ? character >= set.charAt(at) && character <= set.charAt(at + 2) : character === set.charAt(at)
      if (range) at += 2
    }
    return inside !== negated
  }
  const characters = [...name]
  let [p, c, star, resume] = [0, 0, -1, 0]
  while (c < characters.length) {
    if (parts[p] === '*') [star, resume, p] = [p, c, p + 1]
    else if (p < parts.length && one(parts[p] ?? '', characters[c] ?? '')) [p, c] = [p + 1, c + 1]
    else if (star >= 0) [p, resume, c] = [star + 1, resume + 1, resume + 1]
    else return false
  }
  return parts.slice(p).every((part) => part === '*')
}

/** A string of the guest as a fact: cut to its limit; undefined when nothing is left, or what is left looks like a secret. */
export function shown(text: string | undefined, maxLength: number): string | undefined {
  const cut = (text ?? '').slice(0, maxLength).toWellFormed()
  return cut === '' || secretIn(cut) !== undefined ? undefined : cut
}

/** Members that may be undefined become members that may be absent. */
export type Stated<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** An object without the members that are undefined. */
export function stated<T extends object>(members: T): Stated<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Stated<T>
}
