const mark = '\u001a'

/**
 * PostgreSQL's text holds every character but U+0000, which a name found in an image may have. It is written as U+001A
 * and 0, and U+001A itself as U+001A and 1; reading undoes it, so that nobody else sees either. Bodies are JSON, which
 * escapes both, and so stay as they are.
 */
export function toText(text: string): string {
  if (!text.includes('\0') && !text.includes(mark)) return text
  return text.replaceAll(mark, `${mark}1`).replaceAll('\0', `${mark}0`)
}

/** Undoes toText. */
export function fromText(text: string): string {
  return text.includes(mark) ? text.replaceAll(`${mark}0`, '\0').replaceAll(`${mark}1`, mark) : text
}
