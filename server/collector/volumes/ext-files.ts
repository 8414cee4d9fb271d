import {
  defaultReadBytes,
  type GuestEntry,
  GuestError,
  type GuestFiles,
  type GuestStat,
  largestReadBytes,
} from '../guest.ts'
import { batched, pieces } from './batch.ts'
import { type DebugfsAnswer, type DebugfsCommand, openDebugfs } from './debugfs.ts'
import { extAbsence, parseExtList, parseExtStat } from './ext-answers.ts'
import { parseExtExtents } from './ext-extents.ts'
import { type Extent, extentPieces, readExtents } from './extents.ts'
import { type Found, followLast, remembered } from './links.ts'
import { plainPath } from './paths.ts'
import type { VolumeSource } from './volume.ts'

/** Commands of one list, and the bytes that it may dump. */
const mostCommands = 400
const mostBytes = 134_217_728

/** What is smaller costs less to dump with what else is asked. Unit: bytes. */
const largeBytes = 65_536

/**
 * Files of ext2, ext3 and ext4, read by debugfs: all that is asked in one turn in one list. Of a large file it tells the
 * blocks, and our own reader of the container reads them where it can. The block size is undefined when nothing tells it.
 */
export function extFiles(source: VolumeSource, blockSize: Promise<number | undefined>): GuestFiles {
  const places = new Map<string, readonly Extent[]>()
  const share = mostBytes / mostCommands
  const debugfs = openDebugfs(source)
  const ask = batched<DebugfsCommand, DebugfsAnswer>(async (commands) => {
    const groups = pieces(commands, mostBytes, ({ sizeBytes = 0 }) => Math.max(sizeBytes, share))
    const answers = await Promise.all(groups.map(debugfs))
    return answers.flat()
  })
  const need = async (command: DebugfsCommand) => {
    const answer = await ask({ ...command, path: plainPath(command.path) })
    if (answer === undefined) throw new GuestError('unreadable', 'debugfs did not answer.')
    return answer
  }
  const dump = async (path: string, sizeBytes: number) => {
    const { file, problem } = await need({ verb: 'dump', path, sizeBytes })
    // debugfs makes the file before it reads, so a complaint counts more than a file; data that stands in the inode
    // it writes with the zeros behind it.
    if (file && problem === '') return file.subarray(0, sizeBytes)
    throw extAbsence(problem) ?? new GuestError('unreadable', 'A file vanished between two looks.')
  }
  const look = remembered(async (path: string): Promise<GuestStat | undefined> => {
    const { output, problem } = await need({ verb: 'stat', path })
    const stat = parseExtStat(output)
    if (stat === undefined) {
      const error = extAbsence(problem)
      if (error) throw error
      return undefined
    }
    const size = stat.kind === 'file' && stat.sizeBytes >= largeBytes && problem === '' ? await blockSize : undefined
    const extents = size === undefined ? undefined : parseExtExtents(output, size)
    if (extents?.every(({ start, length }) => start + length <= source.range.length)) places.set(path, extents)
    // A target of 60 bytes or more stands in a block of its own.
    if (stat.kind !== 'link' || stat.target !== undefined || stat.sizeBytes > 4096) return stat
    return { ...stat, target: (await dump(path, stat.sizeBytes)).toString() }
  })
  const entries = async (path: string): Promise<readonly GuestEntry[]> => {
    const { output, problem } = await need({ verb: 'ls', path })
    const found = parseExtList(output)
    source.names.count(found.length)
    if (found.length === 0 && problem !== '')
      throw extAbsence(problem) ?? new GuestError('unreadable', 'A directory vanished between two looks.')
    return found
  }
  const open = async (path: string, maxBytes: number) => {
    const found = await followLast(look, plainPath(path))
    if (found === undefined) return undefined
    if (found.stat.kind !== 'file') throw new GuestError('unreadable', 'What should be read is no file.')
    if (found.stat.sizeBytes > Math.min(maxBytes, largestReadBytes))
      throw new GuestError('too-large', `A file has ${found.stat.sizeBytes} bytes, more than is read of it.`)
    return found
  }
  const contents = async function* ({ path, stat: { sizeBytes } }: Found) {
    let given = 0
    for await (const piece of extentPieces(source, places.get(path) ?? [], places.has(path) ? sizeBytes : 0)) {
      given += piece.length
      yield piece
    }
    if (given < sizeBytes) yield (await dump(path, sizeBytes)).subarray(given)
  }
  return {
    stat: async (path) => look(plainPath(path)),
    async list(path) {
      const [stat, direct] = await Promise.allSettled([look(plainPath(path)), entries(path)])
      if (stat.status === 'rejected') throw stat.reason
      if (stat.value?.kind === 'directory') {
        if (direct.status === 'rejected') throw direct.reason
        return direct.value
      }
      const found = await followLast(look, path)
      return found?.stat.kind === 'directory' ? entries(found.path) : undefined
    },
    async read(path, maxBytes = defaultReadBytes) {
      const found = await open(path, maxBytes)
      if (found === undefined) return undefined
      const extents = places.get(found.path)
      const content = extents && (await readExtents(source, extents, found.stat.sizeBytes))
      return content ?? dump(found.path, found.stat.sizeBytes)
    },
    async pieces(path, maxBytes) {
      const found = await open(path, maxBytes)
      return found && contents(found)
    },
  }
}
