const quote = '"'
const backslash = 0x5c
const colon = 0x3a

/** Position behind a string's closing quote; a quote behind an odd number of backslashes does not close. */
function stringEnd(text: string, open: number): number {
  let close = text.indexOf(quote, open + 1)
  while (text.charCodeAt(close - 1) === backslash) {
    let first = close - 1
    while (text.charCodeAt(first - 1) === backslash) first -= 1
    if ((close - first) % 2 === 0) break
    close = text.indexOf(quote, close + 1)
  }
  return close + 1
}

/**
 * How many member names a JSON text writes. JSON.parse keeps the last of two equal names in silence;
 * a text that writes more names than its value holds has such a pair. The text must be valid JSON.
 */
export function countNames(text: string): number {
  let names = 0
  for (let open = text.indexOf(quote); open !== -1; ) {
    let next = stringEnd(text, open)
    while (text.charCodeAt(next) <= 0x20) next += 1
    if (text.charCodeAt(next) === colon) names += 1
    open = text.indexOf(quote, next)
  }
  return names
}
