import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmdirSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** Only root can mount, change attributes and lend another user. */
export const root = process.getuid?.() === 0

/** Runs a program and gives its output. Throws with what it complained of. */
export function run(command: string, ...args: string[]): string {
  const { status, error, stderr, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

/** Runs a program and says whether it ended well. */
export function works(command: string, ...args: string[]): boolean {
  return spawnSync(command, args).status === 0
}

/** Why nothing can be mounted here; false when it can. */
export function noMount(): string | false {
  if (!root) return 'only root can mount a tmpfs'
  const place = mkdtempSync(join(tmpdir(), 'imagegate-mount-'))
  if (!works('mount', '-t', 'tmpfs', '-o', 'size=1m', 'imagegate-test', place)) return 'a tmpfs may not be mounted here'
  run('umount', place)
  rmdirSync(place)
  return false
}

/** A file system of its own of so many MiB. */
export function smallDisk(t: Test, mebibytes: number): string {
  const place = mkdtempSync(join(tmpdir(), 'imagegate-disk-'))
  run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=1777`, 'imagegate-test', place)
  t.teardown(() => {
    run('umount', '--lazy', place)
    rmdirSync(place)
  })
  return place
}

/** Takes all space that is left and gives the file. */
export function fill(disk: string): string {
  const filler = join(disk, 'filler')
  const descriptor = openSync(filler, 'w')
  try {
    for (let size = 1 << 16; size >= 1; size = size > 4096 ? 4096 : 0) {
      const piece = Buffer.alloc(size, 1)
      try {
        while (writeSync(descriptor, piece) === size);
      } catch {
        // Full for pieces of this size.
      }
    }
  } finally {
    closeSync(descriptor)
  }
  return filler
}
