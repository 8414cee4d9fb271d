import { GuestError } from '../guest.ts'

/** A statement of a GRUB script: its words, with quotes undone and variables left as written. */
export interface GrubStatement {
  readonly words: readonly string[]
  /** The block in braces behind a menuentry or a submenu. */
  readonly block?: readonly GrubStatement[]
}

const maxWords = 200_000
const maxDepth = 32

/** Splits a GRUB script into statements. Conditions are words like others: what depends on them is judged by the reader. */
export function parseGrubScript(text: string): GrubStatement[] {
  let at = 0
  let count = 0

  const word = (): string => {
    let value = ''
    while (at < text.length) {
      const character = text.charAt(at)
      if (/[\s;{}]/.test(character) && !(character === '{' && text.charAt(at - 1) === '$')) {
        // A brace inside ${name} belongs to the word.
        if (character !== '}' || !/\$\{[A-Za-z0-9_?@*#]*$/.test(value.slice(-64))) break
      }
      if (character === '\\') {
        value += text.charAt(at + 1)
        at += 2
      } else if (character === "'") {
        const end = text.indexOf("'", at + 1)
        value += text.slice(at + 1, end < 0 ? text.length : end)
        at = end < 0 ? text.length : end + 1
      } else if (character === '"') {
        at += 1
        while (at < text.length && text.charAt(at) !== '"') {
          if (text.charAt(at) === '\\') at += 1
          value += text.charAt(at)
          at += 1
        }
        at += 1
      } else {
        value += character
        at += 1
      }
    }
    return value
  }

  const statements = (depth: number): GrubStatement[] => {
    const found: GrubStatement[] = []
    let words: string[] = []
    const end = () => {
      const first = words.findIndex((one) => !/^(then|else|do)$/.test(one))
      if (first >= 0) found.push({ words: words.slice(first) })
      words = []
    }
    while (at < text.length) {
      if (count > maxWords) throw new GuestError('too-large', 'The configuration of GRUB is too large.')
      const character = text.charAt(at)
      if (character === '\n' || character === ';') {
        end()
        at += 1
      } else if (character === '#' && (at === 0 || /[\s;{}]/.test(text.charAt(at - 1)))) {
        const line = text.indexOf('\n', at)
        at = line < 0 ? text.length : line
      } else if (character === '\\' && text.charAt(at + 1) === '\n') at += 2
      else if (/\s/.test(character)) at += 1
      else if (character === '{' && depth < maxDepth) {
        at += 1
        count += 1
        const block = statements(depth + 1)
        if (words.length > 0) found.push({ words, block })
        words = []
      } else if (character === '}' || character === '{') {
        at += 1
        end()
        if (character === '}' && depth > 0) return found
      } else {
        words.push(word())
        count += 1
      }
    }
    end()
    return found
  }
  return statements(0)
}
