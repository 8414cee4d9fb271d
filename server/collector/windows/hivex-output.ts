import { GuestError } from '../guest.ts'
import { foldName } from './names.ts'

/** One value of a registry key. */
export type RegistryValue =
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'dword'; readonly number: number }
  | { readonly type: 'other' }

/** One key of a hive: values by their folded name, and the names of its subkeys as written. */
export interface RegistryKey {
  readonly values: ReadonlyMap<string, RegistryValue>
  readonly subkeys: readonly string[]
}

/** What lsval prints for one value. Quotes and backslashes are escaped, line feeds are not. */
const valueLine =
  /"([^"\\]*(?:\\["\\][^"\\]*)*)"=(?:(?:str\(\d+\):)?"([^"\\]*(?:\\["\\][^"\\]*)*)"|dword:([0-9a-f]{8})|hex\(\d+\):[0-9a-f,]*)\n/y

const unescaped = (text: string): string => text.replace(/\\(["\\])/g, '$1')

function valueFrom(text: string | undefined, dword: string | undefined): RegistryValue {
  if (text !== undefined) return { type: 'string', text: unescaped(text) }
  if (dword !== undefined) return { type: 'dword', number: Number.parseInt(dword, 16) }
  return { type: 'other' }
}

/** The line that begins at an offset, without its line feed; undefined behind the end or when it is cut off. */
function lineAt(output: string, offset: number): string | undefined {
  const end = output.indexOf('\n', offset)
  return end < 0 ? undefined : output.slice(offset, end)
}

/**
 * Reads the output of a script that for each path says cd PATH, cd, lsval, cd, ls, cd; the bare cd prints the path. Gives the keys
 * that are complete, in order: fewer than the paths when the script stopped. Throws a GuestError for text of another form.
 */
export function parseKeys(output: string, paths: readonly string[]): RegistryKey[] {
  const keys: RegistryKey[] = []
  let offset = 0
  const passMarker = (path: string): boolean => {
    const line = lineAt(output, offset)
    if (line === undefined || foldName(line) !== foldName(path)) return false
    offset += line.length + 1
    return true
  }
  for (const path of paths) {
    if (!passMarker(path)) break
    const values = new Map<string, RegistryValue>()
    valueLine.lastIndex = offset
    for (let match = valueLine.exec(output); match !== null; match = valueLine.exec(output)) {
      offset = valueLine.lastIndex
      const name = foldName(unescaped(match[1] ?? ''))
      if (values.has(name)) throw new GuestError('damaged', 'A registry key holds two values of one name.')
      values.set(name, valueFrom(match[2], match[3]))
    }
    if (!passMarker(path)) break
    const subkeys: string[] = []
    while (!passMarker(path)) {
      const line = lineAt(output, offset)
      if (line === undefined) return keys
      subkeys.push(line)
      offset += line.length + 1
    }
    keys.push({ values, subkeys })
  }
  return keys
}
