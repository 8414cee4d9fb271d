import { defaultReadBytes, GuestError, type GuestFiles, type GuestStat, largestReadBytes } from '../guest.ts'
import type { ToolCall } from '../tools/call.ts'
import { remembered } from './links.ts'
import { type NtfsEntry, parseNtfsList, parseReadOnly } from './ntfs-answers.ts'
import { components, plainPath } from './paths.ts'
import type { VolumeSource } from './volume.ts'

const root: NtfsEntry = { name: '', kind: 'directory', sizeBytes: 0 }

/** Files of NTFS by the programs of ntfs-3g. Names are compared without case, as Windows does; the exact one goes first. */
export function ntfsFiles({ tools, disk, range, names }: VolumeSource): GuestFiles {
  const place = () => disk.part(range.start, range.length)
  const listing = remembered(async (path: string): Promise<readonly NtfsEntry[]> => {
    const result = await tools.run({
      tool: 'ntfsls',
      place: await place(),
      args: ({ image }) => ['-f', '-a', '-s', '-l', '-F', '-p', path, image],
      limits: { stdoutBytes: 16_777_216 },
    })
    if (result.code !== 0) throw new GuestError('unreadable', 'ntfsls could not read a directory.')
    const entries = parseNtfsList(result.stdout.toString())
    names.count(entries.length)
    return entries
  })
  const find = async (path: string): Promise<{ path: string; entry: NtfsEntry } | undefined> => {
    let entry = root
    let real = ''
    for (const name of components(plainPath(path))) {
      if (entry.kind !== 'directory') return undefined
      const entries = await listing(real === '' ? '/' : plainPath(real))
      const wanted = name.toLowerCase()
      const found = entries.find((one) => one.name === name) ?? entries.find((one) => one.name.toLowerCase() === wanted)
      if (found === undefined) return undefined
      entry = found
      real = `${real}/${found.name}`
    }
    return { path: real === '' ? '/' : plainPath(real), entry }
  }
  const attributes = remembered(async (path: string) => {
    const args = (image: string) => ['-f', '-F', path, image]
    const result = await tools.run({ tool: 'ntfsinfo', place: await place(), args: ({ image }) => args(image) })
    return result.code === 0 ? parseReadOnly(result.stdout.toString()) : undefined
  })
  const content = async (path: string, maxBytes: number, to: (most: number) => Pick<ToolCall, 'output' | 'limits'>) => {
    const found = await find(path)
    if (found === undefined) return undefined
    const most = Math.min(maxBytes, largestReadBytes)
    if (found.entry.sizeBytes > most)
      throw new GuestError('too-large', `A file has ${found.entry.sizeBytes} bytes, more than is read of it.`)
    const args = (image: string) => ['-f', image, found.path]
    const result = await tools.run({
      tool: 'ntfscat',
      place: await place(),
      args: ({ image }) => args(image),
      ...to(most),
    })
    if (result.code !== 0) throw new GuestError('unreadable', 'ntfscat could not read a file.')
    return result
  }
  return {
    async stat(path): Promise<GuestStat | undefined> {
      const found = await find(path)
      if (found === undefined) return undefined
      const { kind, sizeBytes } = found.entry
      const readOnly = kind === 'file' ? await attributes(found.path) : undefined
      return { kind, sizeBytes, ...(readOnly === undefined ? {} : { readOnly }) }
    },
    async list(path) {
      const found = await find(path)
      if (found?.entry.kind !== 'directory') return undefined
      return (await listing(found.path)).map(({ name, kind }) => ({ name, kind }))
    },
    async read(path, maxBytes = defaultReadBytes) {
      const result = await content(path, maxBytes, (most) => ({ limits: { stdoutBytes: most } }))
      return result?.stdout
    },
    async save(path, target, maxBytes) {
      const result = await content(path, maxBytes, (most) => ({ output: target, limits: { fileBytes: most } }))
      return result !== undefined
    },
  }
}
