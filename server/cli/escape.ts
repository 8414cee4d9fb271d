// Control, format (bidirectional among them), line- and paragraph-separator and invisible characters.
const acting = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{DI}]/gu
const actingButLineFeed = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{DI}]/gu

function jsonEscape(character: string): string {
  return [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('')
}

/** Text for one place in a terminal: whatever could act on it, line breaks too, becomes a visible \u{…}. Never changes twice. */
export function safeText(text: string): string {
  return text.replaceAll(acting, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** The same for text of several lines, whose line feeds stay. */
export function safeLines(text: string): string {
  return text.split('\n').map(safeText).join('\n')
}

/** JSON with no character that could act on a terminal; it says the same, because inside strings they become \uXXXX. */
export function safeJson(json: string): string {
  return json.replaceAll(actingButLineFeed, jsonEscape)
}
