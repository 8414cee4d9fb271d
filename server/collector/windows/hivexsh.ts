import { GuestError } from '../guest.ts'
import { parseKeys, type RegistryKey } from './hivex-output.ts'
import { foldName } from './names.ts'

/** What one run of hivexsh printed. */
export interface HivexshOutput {
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: string
}

/** Runs a script of hivexsh commands on one hive; rejects with a GuestError when the program could not do its work. */
export type Hivexsh = (script: string) => Promise<HivexshOutput>

/** Writes the bytes of a hive to a new file of that path. Rejects with a GuestError. */
export type HiveSource = (path: string) => Promise<void>

/** Gives a hive to hivexsh for the time of use, tells its first bytes, and takes every trace of it away afterwards. */
export type WithHive = <T>(hive: HiveSource, use: (hivexsh: Hivexsh, head: Buffer) => Promise<T>) => Promise<T>

/** Keys by folded path; a key that is not in the hive is not in the map, one that is damaged is an error. */
export type RegistryKeys = ReadonlyMap<string, RegistryKey | GuestError>

const scriptFor = (paths: readonly string[]): string =>
  paths.map((path) => `cd ${path}\ncd\nlsval\ncd\nls\ncd\n`).join('')

/**
 * Reads keys of a hive, parents before their subkeys. hivexsh ends a script at its first error, so each key that is not there costs one more run;
 * the keys below it are not asked for.
 */
export async function readKeys(hivexsh: Hivexsh, paths: readonly string[]): Promise<RegistryKeys> {
  const found = new Map<string, RegistryKey | GuestError>()
  let left = paths
  while (left.length > 0) {
    const { exitCode, stdout, stderr } = await hivexsh(scriptFor(left))
    if (stderr.includes('failed to open hive')) throw new GuestError('damaged', 'hivexsh cannot open the hive.')
    const keys = parseKeys(stdout.toString('utf8'), left)
    for (const [index, key] of keys.entries()) found.set(foldName(left[index] ?? ''), key)
    const stopped = left[keys.length]
    if (stopped === undefined) break
    const absent = exitCode === 1 && /^hivexsh: cd: subkey '.{0,255}' not found$/m.test(stderr)
    if (!absent) found.set(foldName(stopped), new GuestError('damaged', `The registry key ${stopped} cannot be read.`))
    const below = foldName(`${stopped}\\`)
    left = left.slice(keys.length + 1).filter((path) => !absent || !foldName(path).startsWith(below))
  }
  return found
}
