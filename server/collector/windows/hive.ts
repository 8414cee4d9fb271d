import { GuestError } from '../guest.ts'
import type { RegistryKey, RegistryValue } from './hivex-output.ts'
import type { RegistryKeys } from './hivexsh.ts'
import { foldName } from './names.ts'

/** What a hive begins with. Unit: bytes. */
export const headerBytes = 4096

/** Whether a hive, from its first bytes, was not closed cleanly: its two sequence numbers differ, so its log holds changes. Throws for what is no hive. */
export function isDirtyHive(hive: Buffer): boolean {
  if (hive.length < headerBytes || hive.toString('latin1', 0, 4) !== 'regf') {
    throw new GuestError('damaged', 'The file is no registry hive.')
  }
  return hive.readUInt32LE(4) !== hive.readUInt32LE(8)
}

/** Why values of a hive that was not closed cleanly are not certain. */
export function dirtyReason(name: string): string {
  return `The hive ${name} was not closed cleanly (its sequence numbers differ). Its log is not replayed, so its values may be older than those at the next start.`
}

/** The keys of one hive below a root, or why there are none. */
export class Hive {
  readonly #keys: RegistryKeys | GuestError
  readonly #root: string
  /** The hive's log holds changes that were not applied, so values may be old. */
  readonly dirty: boolean

  constructor(keys: RegistryKeys | GuestError, dirty = false, root = '') {
    this.#keys = keys
    this.#root = root
    this.dirty = dirty
  }

  /** The key, undefined when the hive has none; throws a GuestError when the hive or the key could not be read. */
  key(path: string): RegistryKey | undefined {
    if (this.#keys instanceof GuestError) throw this.#keys
    const key = this.#keys.get(foldName(`${this.#root}\\${path}`))
    if (key instanceof GuestError) throw key
    return key
  }

  #value(path: string, name: string, type: RegistryValue['type']): RegistryValue | undefined {
    const value = this.key(path)?.values.get(foldName(name))
    if (value === undefined || value.type === type) return value
    throw new GuestError('unexpected-type', `The registry value ${path}\\${name} is no ${type}.`)
  }

  /** A text; undefined when the key or the value is not there; throws for another type. */
  text(path: string, name: string): string | undefined {
    const value = this.#value(path, name, 'string')
    return value?.type === 'string' ? value.text : undefined
  }

  /** A DWORD; undefined when the key or the value is not there; throws for another type. */
  dword(path: string, name: string): number | undefined {
    const value = this.#value(path, name, 'dword')
    return value?.type === 'dword' ? value.number : undefined
  }
}
