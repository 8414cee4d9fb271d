import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ImagegateError } from '../errors.ts'
import { privateKey, publicKey } from '../policy/bundle-key.ts'

async function pemOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ImagegateError('FILE_UNREADABLE', `${file} cannot be read.`, { cause })
  })
}

/** The key that signs, from a PEM file. Rejects with FILE_UNREADABLE or KEY_INVALID. */
export async function signingKey(file: string): Promise<KeyObject> {
  return privateKey(await pemOf(file), file)
}

/** The keys that are trusted, from PEM files. Rejects with FILE_UNREADABLE or KEY_INVALID. */
export function trustedKeys(files: readonly string[]): Promise<KeyObject[]> {
  return Promise.all(files.map(async (file) => publicKey(await pemOf(file), file)))
}
