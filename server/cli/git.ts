import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const runFile = promisify(execFile)

/** The most that git may answer, which is far more than any policy has. Unit: bytes. */
const maxBytes = 4 * 2 ** 20

/** What git answers in a folder, given a list of arguments and no shell. Rejects when git does not end with 0 within a minute. */
export async function git(args: readonly string[], folder: string): Promise<string> {
  const { stdout } = await runFile('git', args, { cwd: folder, maxBuffer: maxBytes, encoding: 'utf8', timeout: 60_000 })
  return stdout
}

/** Why git could not answer, in its own words where it said any. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const told: unknown = Reflect.get(error, 'stderr')
  const said = typeof told === 'string' ? told.trim() : ''
  return said === '' ? String(Reflect.get(error, 'code') ?? error.message) : said
}
