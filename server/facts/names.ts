const stringThenColon = /"(?:[^"\\]|\\.)*"[\t\n\r ]*(:?)/g

/**
 * How many member names a JSON text writes. JSON.parse keeps the last of two equal names in silence;
 * a text that writes more names than its value holds has such a pair. The text must be valid JSON.
 */
export function countNames(text: string): number {
  let names = 0
  for (const match of text.matchAll(stringThenColon)) if (match[1] === ':') names += 1
  return names
}
