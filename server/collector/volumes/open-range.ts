import type { Volume } from '../../documents/facts.ts'
import { fileSystemOf } from '../disk/content.ts'
import type { Range } from '../disk/partitions.ts'
import type { Probe } from '../disk/probe.ts'
import type { VirtualDisk } from '../disk/virtual-disk.ts'
import type { GuestRead } from '../sniff/result.ts'
import type { Toolbox } from '../tools/toolbox.ts'
import { driverOf } from './drivers.ts'
import type { Names } from './names.ts'
import type { OpenVolume } from './volume.ts'

/** The image that volumes stand in. */
export interface VolumeContext {
  readonly tools: Toolbox
  readonly disk: VirtualDisk
  readonly names: Names
  readonly check: boolean
  readonly guest: GuestRead | undefined
}

/** UUID and label as blkid found them, where they fit the fact document. */
function named(probe: Probe): Volume {
  const uuid = (probe.uuid ?? '').toLowerCase()
  return {
    ...(/^[0-9a-f-]{1,64}$/.test(uuid) ? { uuid } : {}),
    label: (probe.label ?? '').slice(0, 128),
  }
}

const encryptions: Readonly<Record<string, NonNullable<Volume['encryption']>>> = {
  crypto_LUKS: 'luks',
  BitLocker: 'bitlocker',
}

/** Reads the volume in a range; undefined when the range holds none, as swap does. Throws a GuestError. */
export async function openRange(context: VolumeContext, range: Range): Promise<OpenVolume | undefined> {
  const { probe, device, partition } = range
  if (probe === undefined) return undefined
  const place = { device, ...(partition === undefined ? {} : { partitionNumber: partition }) }
  if (probe.usage === 'crypto') {
    const encryption = encryptions[probe.type ?? ''] ?? 'other'
    const { uuid } = named(probe)
    const facts = { ...place, ...(uuid === undefined ? {} : { uuid }), encryption, sizeBytes: range.length }
    const reason = `The volume is encrypted (${encryption}), so nothing in it can be read.`
    return { facts, range, missing: [{ pointer: '', code: 'encrypted', reason }], method: 'blkid -p' }
  }
  const fileSystem = fileSystemOf(probe)
  if (fileSystem === undefined) return undefined
  const reading = await driverOf(fileSystem)({ ...context, range, fileSystem })
  const facts = { ...place, fileSystem, ...named(probe), encryption: 'none' as const, ...reading.facts }
  return { ...reading, facts, range, method: `blkid -p, ${reading.method}` }
}
