import type { Hive } from './hive.ts'
import type { Hivexsh, RegistryKeys } from './hivexsh.ts'
import { readKeys } from './hivexsh.ts'
import { foldName } from './names.ts'
import { undecided } from './topic.ts'

/** Keys of SOFTWARE whose subkeys are the installed programs, of either word size. */
export const uninstallKeys = ['', 'Wow6432Node\\'].map((root) => `${root}Microsoft\\Windows\\CurrentVersion\\Uninstall`)

const mostEntries = 1024
/** Names that stand in a script as they are: hivexsh cuts long lines in pieces, each a command, and takes blanks off their ends. */
const plainName = /^(?! )[ -[\]-~]{1,200}(?<! )$/

const entriesOf = (root: string, names: readonly string[]): string[] =>
  names.filter((name) => plainName.test(name)).map((name) => `${root}\\${name}`)

/** The keys with those of the installed programs, where there are not too many. Rejects with a GuestError. */
export async function withUninstall(hivexsh: Hivexsh, keys: RegistryKeys): Promise<RegistryKeys> {
  const entries = uninstallKeys.flatMap((root) => {
    const key = keys.get(foldName(`\\${root}`))
    return key === undefined || key instanceof Error ? [] : entriesOf(`\\${root}`, key.subkeys)
  })
  if (entries.length === 0 || entries.length > mostEntries) return keys
  return new Map([...keys, ...(await readKeys(hivexsh, entries))])
}

/** What installed programs call themselves. Throws a GuestError when that could not be read. */
export function displayNames(software: Hive): string[] {
  const entries = uninstallKeys.flatMap((root) => entriesOf(root, software.key(root)?.subkeys ?? []))
  if (entries.length > mostEntries) undecided(`More than ${mostEntries} programs are registered as installed.`)
  return entries.flatMap((path) => {
    const value = software.key(path)?.values.get('displayname')
    return value?.type === 'string' ? [value.text] : []
  })
}
