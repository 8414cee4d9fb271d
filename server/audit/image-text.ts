import { ImagegateError } from '../errors.ts'

/** Fewest characters of a text that image names are searched for. */
const minText = 3

/**
 * A text as it is searched for in image names: letters A to Z in lower case, as lower() of every database has them.
 * Undefined when it is shorter than three characters, because then no index finds it.
 */
export function searchText(text: string): string | undefined {
  const lower = text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
  return [...lower].length < minText ? undefined : lower
}

/** As searchText. Throws OPTION_INVALID when the text is too short. */
export function requireSearchText(text: string): string {
  const found = searchText(text)
  if (found === undefined) throw new ImagegateError('OPTION_INVALID', `A text has at least ${minText} characters.`)
  return found
}

/** Every three characters in a row of a text, each once. */
export function trigramsOf(text: string): readonly string[] {
  const characters = [...text]
  return [...new Set(characters.slice(minText - 1).map((_, at) => characters.slice(at, at + minText).join('')))]
}

/** A pattern of LIKE, with the escape \\, for names that contain a text. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
}
