import { readFileSync } from 'node:fs'
import type { Policy } from '../documents/policy.ts'

/** The folder in which the build keeps what it parsed, beside the compiled program; a source tree has none. */
export const parsedFolder = new URL('../policies/', import.meta.url)

/** Where the parsed form of a policy text with this digest is kept. */
export function parsedFile(digest: string): URL {
  return new URL(`${digest.replace(':', '-')}.json`, parsedFolder)
}

/**
 * A policy that the build has parsed and checked already, by the digest of its text; undefined when it has not.
 * Parsing and checking 130 KB of YAML takes half a second of a command that needs less for everything else.
 */
export function parsedPolicy(digest: string): Policy | undefined {
  try {
    return JSON.parse(readFileSync(parsedFile(digest), 'utf8'))
  } catch {
    return undefined
  }
}
