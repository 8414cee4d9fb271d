import { defaultReadBytes, GuestError, type GuestFiles, type GuestStat, largestReadBytes } from '../guest.ts'
import { batched, pieces } from './batch.ts'
import { extentPieces, readExtents } from './extents.ts'
import { grubPieces, grubRead } from './grub.ts'
import { remembered, walk } from './links.ts'
import { plainPath } from './paths.ts'
import type { VolumeSource } from './volume.ts'
import { runXfsDb, type XfsAnswer, type XfsQuestion } from './xfs-db.ts'

/** Questions of one process: its command line is limited. */
const mostQuestions = 200

/** Files of XFS: where everything lies is asked of xfs_db, all of one turn at once; GRUB's code reads what we cannot. */
export function xfsFiles(source: VolumeSource): GuestFiles {
  const { tools, disk, range, names } = source
  const grub = { tools, device: '(loop0)', place: () => disk.part(range.start, range.length), names }
  const ask = batched<XfsQuestion, XfsAnswer>(async (questions) => {
    const groups = pieces(questions, mostQuestions, () => 1)
    return (await Promise.all(groups.map((group) => runXfsDb(source, group)))).flat()
  })
  const look = remembered(async (path: string): Promise<GuestStat | undefined> => {
    return (await ask({ verb: 'stat', path: plainPath(path) }))?.stat
  })
  // Most paths hold no link: one look at the whole path is cheaper than a walk.
  const find = async (path: string, last: 'follow' | 'keep') => {
    const direct = await look(plainPath(path))
    if (direct && (last === 'keep' || direct.kind !== 'link')) return { path, stat: direct }
    return walk(look, path, last)
  }
  const open = async (path: string, maxBytes: number) => {
    const found = await find(path, 'follow')
    if (found === undefined) return undefined
    if (found.stat.kind !== 'file') throw new GuestError('unreadable', 'What should be read is no file.')
    if (found.stat.sizeBytes > Math.min(maxBytes, largestReadBytes))
      throw new GuestError('too-large', `A file has ${found.stat.sizeBytes} bytes, more than is read of it.`)
    const extents = (await ask({ verb: 'map', path: plainPath(found.path) }))?.extents
    return { path: found.path, sizeBytes: found.stat.sizeBytes, extents }
  }
  const contents = async function* ({ path, sizeBytes, extents }: NonNullable<Awaited<ReturnType<typeof open>>>) {
    let given = 0
    for await (const piece of extentPieces(source, extents ?? [], extents ? sizeBytes : 0)) {
      given += piece.length
      yield piece
    }
    if (given === sizeBytes) return
    const rest = await grubPieces(grub, path, sizeBytes)
    if (rest === undefined) throw new GuestError('unreadable', 'A file vanished between two looks.')
    let ahead = given
    for await (const piece of rest) {
      if (piece.length > ahead) yield piece.subarray(ahead)
      ahead = Math.max(0, ahead - piece.length)
    }
  }
  return {
    stat: async (path) => (await find(path, 'keep'))?.stat,
    async list(path) {
      const found = await find(path, 'follow')
      if (found?.stat.kind !== 'directory') return undefined
      const entries = (await ask({ verb: 'ls', path: found.path }))?.entries
      if (entries === undefined) throw new GuestError('unreadable', 'A directory vanished between two looks.')
      if (entries.every((entry) => entry.kind !== 'other')) return entries
      // Old file systems do not keep the type in the directory.
      const base = found.path.replace(/\/*$/, '/')
      return Promise.all(
        entries.map(async (entry) => {
          if (entry.kind !== 'other') return entry
          const kind = await look(`${base}${entry.name}`).then(
            (stat) => stat?.kind,
            () => undefined,
          )
          return { name: entry.name, kind: kind ?? 'other' }
        }),
      )
    },
    async read(path, maxBytes = defaultReadBytes) {
      const found = await open(path, maxBytes)
      if (found === undefined) return undefined
      const bytes = found.extents && (await readExtents(source, found.extents, found.sizeBytes))
      return bytes ?? grubRead(grub, found.path, found.sizeBytes)
    },
    async pieces(path, maxBytes) {
      const found = await open(path, maxBytes)
      return found && contents(found)
    },
  }
}
