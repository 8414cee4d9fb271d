// Control, bidirectional, line- and paragraph-separator and invisible (default ignorable) characters.
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{DI}]/gu
const unsafeInText = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{DI}<>&"\\]/gu
const maxShown = 256

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0
}

function visible(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  return `\\u{${codePoint(character).toString(16)}}`
}

/** A hostile string for people: in double quotes, everything that could act on a terminal, page or reader escaped, at most 256 characters. */
export function quoteText(text: string): string {
  const shown = text.length > maxShown ? `${text.slice(0, maxShown).toWellFormed()}…` : text
  return `"${shown.replaceAll(unsafeInText, visible)}"`
}

/** The same escapes without quotes, for texts that are sentences of their own. */
export function escapeText(text: string): string {
  return text.replaceAll(unsafeInText, (character) => (character === '"' ? '"' : visible(character)))
}

/** A leading dash would make a program read the value as an option. */
function notAnOption(value: string): string {
  return value.startsWith('-') ? `./${value}` : value
}

/** One word for a POSIX shell. Control and invisible characters are written as escapes in $'…'. */
export function quotePosix(text: string): string {
  const value = notAnOption(text)
  if (value.search(unsafe) === -1) return `'${value.replaceAll("'", "'\\''")}'`
  const escaped = value.replaceAll(/['\\]/g, '\\$&').replaceAll(unsafe, (character) => {
    const code = codePoint(character)
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
  return `$'${escaped}'`
}

/** One argument for PowerShell. Every kind of single quote is doubled; control and invisible characters become [char] terms. */
export function quotePowerShell(text: string): string {
  const value = notAnOption(text)
  const quote = (part: string) => `'${part.replaceAll(/['‘’‚‛]/g, '$&$&')}'`
  if (value.search(unsafe) === -1) return quote(value)
  const terms: string[] = []
  let from = 0
  for (const match of value.matchAll(unsafe)) {
    if (match.index > from) terms.push(quote(value.slice(from, match.index)))
    terms.push(`[char]::ConvertFromUtf32(0x${codePoint(match[0]).toString(16)})`)
    from = match.index + match[0].length
  }
  if (from < value.length) terms.push(quote(value.slice(from)))
  return `(${terms.join(' + ')})`
}
