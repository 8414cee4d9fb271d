import { linesOf } from './text.ts'

/** One section of an ini file, in the file's order; a name may come more than once. */
export interface IniSection {
  readonly name: string
  readonly entries: readonly (readonly [key: string, value: string])[]
}

/** Sections of a unit, a keyfile or another ini file: # and ; begin comments, a backslash at the end continues a line. */
export function parseIni(text: string): IniSection[] {
  const sections: { name: string; entries: [string, string][] }[] = []
  let carried = ''
  for (const raw of linesOf(text)) {
    const trimmed = raw.trim()
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) continue
    if (trimmed.endsWith('\\')) {
      carried += `${trimmed.slice(0, -1)} `
      continue
    }
    const line = carried + trimmed
    carried = ''
    if (line.startsWith('[') && line.endsWith(']')) {
      sections.push({ name: line.slice(1, -1), entries: [] })
      continue
    }
    const at = line.indexOf('=')
    if (at > 0) sections.at(-1)?.entries.push([line.slice(0, at).trim(), line.slice(at + 1).trim()])
  }
  return sections
}

/** Every value of a key in the sections of a name, in order. */
export function iniValues(sections: readonly IniSection[], section: string, key: string): string[] {
  return sections
    .filter(({ name }) => name === section)
    .flatMap(({ entries }) => entries.filter(([name]) => name === key).map(([, value]) => value))
}

/** The last value of a key, which is the one that counts where only one may. */
export function iniValue(sections: readonly IniSection[], section: string, key: string): string | undefined {
  return iniValues(sections, section, key).at(-1)
}

/** A switch as ini files spell it; undefined for another word. */
export function iniSwitch(value: string | undefined): boolean | undefined {
  const word = value?.toLowerCase()
  if (word === undefined) return undefined
  if (['1', 'yes', 'true', 'on', 'y', 't'].includes(word)) return true
  if (['0', 'no', 'false', 'off', 'n', 'f'].includes(word)) return false
  return undefined
}
