import type { KeyObject } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalize } from '../digest.ts'
import type { Checkpoint } from '../documents/checkpoint.ts'
import { ImagegateError } from '../errors.ts'
import { splitLines } from '../lines.ts'
import { matches } from '../schemas.ts'
import { faultOfCheckpoint } from './verify-checkpoints.ts'
import type { AuditProblems } from './verify-problems.ts'

const maxLineBytes = 4096

/** Checkpoints that were kept outside the database: by tenant, each list by sequence number. */
export type OutsideCheckpoints = ReadonlyMap<string, readonly Checkpoint[]>

/** The bytes of a file. Ends with FILE_UNREADABLE when they cannot be read. */
export async function* chunksOf(file: string): AsyncGenerator<Buffer, void, void> {
  try {
    for await (const chunk of createReadStream(file)) yield chunk
  } catch (cause) {
    throw new ImagegateError('FILE_UNREADABLE', `${file} cannot be read.`, { cause })
  }
}

/** A file, or every file of a folder whose name ends in .ndjson or .json. */
async function filesOf(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    const names = await readdir(path)
    return names
      .filter((name) => /\.(nd)?json$/.test(name))
      .sort()
      .map((name) => join(path, name))
  } catch (cause) {
    throw new ImagegateError('FILE_UNREADABLE', `${path} cannot be read.`, { cause })
  }
}

/** Bytes at the end of a file that are no whole line: what a crash cut off while the line was written. */
export async function tornBytes(file: string): Promise<number> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const tail = Buffer.alloc(Math.min(size, maxLineBytes))
    await handle.read(tail, 0, tail.length, size - tail.length)
    return tail.length - 1 - tail.lastIndexOf('\n')
  } finally {
    await handle.close()
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Reads checkpoints that lie outside, one a line, and keeps the sound ones; each takes some 500 bytes of memory.
 * What a crash left of a file's last line is none. One that is not sound, or that says something else than another of the same place, is a problem.
 * Rejects with FILE_UNREADABLE, and when a path holds none.
 */
export async function readCheckpoints(
  paths: readonly string[],
  keys: readonly KeyObject[],
  problems: AuditProblems,
): Promise<OutsideCheckpoints> {
  const found = new Map<string, Map<number, Checkpoint>>()
  for (const path of paths) {
    let lines = 0
    for (const file of await filesOf(path)) {
      for await (const line of splitLines(chunksOf(file), maxLineBytes)) {
        lines += 1
        const value = 'bytes' in line ? parse(line.bytes.toString('utf8')) : undefined
        if (value === undefined && 'bytes' in line && line.bytes.length === (await tornBytes(file))) continue
        take(value, `${file}, line ${line.line}`)
      }
    }
    if (lines === 0) throw new ImagegateError('FILE_UNREADABLE', `${path} holds no checkpoints.`)
  }
  return new Map(
    [...found].map(([tenant, list]) => [tenant, [...list.values()].sort((a, b) => a.sequence - b.sequence)]),
  )

  function take(value: unknown, place: string): void {
    const fault = faultOfCheckpoint(value, keys)
    if (fault === undefined && matches('checkpoint', value)) {
      const list = found.get(value.tenant) ?? new Map<number, Checkpoint>()
      found.set(value.tenant, list)
      const known = list.get(value.sequence)
      if (known === undefined) list.set(value.sequence, value)
      else if (canonicalize(known) !== canonicalize(value)) {
        const { tenant, sequence } = value
        const message = `${place}: the key signed another checkpoint for the same place, too.`
        problems.add({ kind: 'changed', where: 'outside checkpoint', tenant, sequence, differs: [], message })
      }
      return
    }
    const message = `${place}: ${fault}`
    problems.add({ kind: 'changed', where: 'outside checkpoint', differs: [], message })
  }
}
