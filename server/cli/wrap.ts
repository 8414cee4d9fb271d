const wide =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u
const combining = /\p{Mn}/u

/** Columns that a text takes on a terminal. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += combining.test(character) ? 0 : wide.test(character) ? 2 : 1
  return width
}

/** A text padded with spaces to so many columns. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)))
}

/**
 * Breaks a text at its spaces into lines of at most so many columns, the first led by `first` and the others by as
 * many spaces. A word that is longer stands whole on a line of its own: pointers and digests are for copying.
 */
export function wrap(text: string, columns: number, first = ''): string[] {
  const indent = widthOf(first)
  const lines: string[] = []
  let line = ''
  // Runs of spaces stay inside a line: a quoted name may hold them.
  for (const part of text.match(/ *[^ ]+/g) ?? []) {
    if (line !== '' && indent + widthOf(line) + widthOf(part) > columns) {
      lines.push(line)
      line = part.trimStart()
    } else line += line === '' ? part.trimStart() : part
  }
  lines.push(line)
  return lines.map((one, index) => (index === 0 ? first : ' '.repeat(indent)) + one)
}
