import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

function pathOf(name: string): string | undefined {
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** For a test's skip: the reason when a program is not installed, else false. */
export function without(...names: string[]): string | false {
  const missing = names.filter((name) => pathOf(name) === undefined)
  return missing.length > 0 && `not installed: ${missing.join(', ')}`
}

/** Runs a program that makes something for a test. */
export async function make(name: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(pathOf(name) ?? name, args, { env: { LC_ALL: 'C.UTF-8', MTOOLS_SKIP_CHECK: '1' } })
  return stdout
}

/** Makes an empty file of this size. */
export async function empty(path: string, bytes: number): Promise<string> {
  await writeFile(path, '')
  const file = await open(path, 'r+')
  await file.truncate(bytes)
  await file.close()
  return path
}

/** Overwrites bytes of a file. */
export async function patch(path: string, offset: number, bytes: Uint8Array | string): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(Buffer.from(bytes), 0, undefined, offset)
  await file.close()
}
