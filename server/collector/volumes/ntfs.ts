import type { Volume } from '../../documents/facts.ts'
import { GuestError } from '../guest.ts'
import { ntfsFiles } from './ntfs-files.ts'
import { settle } from './settle.ts'
import { numberAfter } from './text.ts'
import type { VolumeDriver, VolumeSource } from './volume.ts'

interface State {
  readonly facts: Volume
  readonly dirty: boolean
}

async function state({ tools, disk, range }: VolumeSource): Promise<State> {
  const place = await disk.part(range.start, range.length)
  const result = await tools.run({ tool: 'ntfsinfo', place, args: ({ image }) => ['-f', '-m', image] })
  if (result.code !== 0) throw new GuestError('unreadable', 'ntfsinfo could not read the volume.')
  const text = result.stdout.toString()
  // The volume's name stands before the rest and is text of the guest.
  const known = text.slice(Math.max(0, text.lastIndexOf('\tVolume State:')))
  const flags = /^\tVolume Flags: 0x([0-9a-f]{4})/m.exec(known)?.[1]
  const clusterSize = numberAfter(known, /^\tCluster Size: (\d+)$/m)
  const clusters = numberAfter(known, /^\tVolume Size in Clusters: (\d+)$/m)
  const free = numberAfter(known, /^\tFree Clusters: (\d+) /m)
  if (flags === undefined || clusterSize === undefined || clusters === undefined || free === undefined)
    throw new GuestError('unreadable', 'ntfsinfo does not tell flags and sizes.')
  return {
    facts: { sizeBytes: clusters * clusterSize, freeBytes: free * clusterSize },
    dirty: (Number.parseInt(flags, 16) & 1) !== 0,
  }
}

/** NTFS. No program beside Windows checks it in full, so the dirty flag and a hibernation file decide. */
export const readNtfs: VolumeDriver = async (source) => {
  const files = ntfsFiles(source)
  const known = state(source)
  const check = async (): Promise<Volume> => {
    const [{ dirty }, hibernation] = await Promise.all([known, files.stat('/hiberfil.sys')])
    return { check: { result: dirty || hibernation ? 'dirty' : 'clean', method: 'flags' } }
  }
  const { facts, missing } = await settle([
    { pointer: '', ask: async () => (await known).facts },
    { pointer: '/check', ask: check },
  ])
  return { facts, missing, files, method: 'ntfsinfo -m, ntfsls and ntfscat' }
}
