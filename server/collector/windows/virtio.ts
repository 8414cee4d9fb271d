import type { DriverFile, Drivers } from '../../documents/facts.ts'
import { GuestError } from '../guest.ts'
import type { Part } from '../part.ts'
import type { WindowsFiles } from './files.ts'
import { known } from './known.ts'
import { type Publisher, publisherOf } from './publisher.ts'
import type { Registry } from './registry.ts'
import { serviceNames } from './services.ts'
import { Topic, undecided } from './topic.ts'

type Edition = NonNullable<NonNullable<Drivers['virtioWindows']>['edition']>

/** The five files that the platform replaces. */
const replaced = ['netkvm', 'balloon', 'vioser', 'viostor', 'pvpanic'] as const
/** Further virtio drivers, which tell the edition too. */
const others = ['vioscsi', 'viorng', 'vioinput', 'viofs']
const services = [...replaced, ...others, 'virtioserial', 'virtrng']
const largestDriver = 8_388_608

const pathOf = (windows: string, name: string): string => `${windows}/System32/drivers/${name}.sys`

async function fileOf(
  topic: Topic,
  files: WindowsFiles,
  windows: string,
  name: string,
): Promise<DriverFile | undefined> {
  const pointer = `/drivers/virtioWindows/files/${name}`
  return topic.fetch(pointer, async () => {
    const stat = await files.stat(pathOf(windows, name))
    if (stat === undefined) return { exists: false }
    const readOnly = topic.take(`${pointer}/readOnly`, () => {
      if (stat.readOnly === undefined) throw new GuestError('unsupported', 'The attributes of the file are not known.')
      return stat.readOnly
    })
    return readOnly === undefined ? { exists: true } : { exists: true, readOnly }
  })
}

function editionFrom(publishers: readonly (Publisher | undefined)[]): Edition {
  if (publishers.includes('other')) return 'community'
  const [first, ...rest] = new Set(publishers)
  if (first === undefined || first === 'other' || rest.length > 0) {
    return undecided('The virtio drivers do not tell alike who signed or provides them.')
  }
  return first
}

async function editionOf(registry: Registry, files: WindowsFiles, windows: string): Promise<Edition> {
  const contents = await Promise.all(
    [...replaced, ...others].map((name) => files.read(pathOf(windows, name), largestDriver)),
  )
  const drivers = contents.filter((content) => content !== undefined)
  if (drivers.length > 0) return editionFrom(drivers.map(publisherOf))
  const present = serviceNames(registry.system)
  const left = services.find((name) => present.has(name))
  return left === undefined ? 'none' : undecided(`The service ${left} is registered, and its driver file is not there.`)
}

/** The virtio drivers: which files there are, whether they are read-only, and whose they are. */
export async function virtioPart(registry: Registry, files: WindowsFiles, windows: string): Promise<Part> {
  const topic = new Topic()
  const edition = topic.fetch('/drivers/virtioWindows/edition', () => editionOf(registry, files, windows))
  const [netkvm, balloon, vioser, viostor, pvpanic] = await Promise.all(
    replaced.map((name) => fileOf(topic, files, windows, name)),
  )
  const virtioWindows = known({ edition: await edition, files: known({ netkvm, balloon, vioser, viostor, pvpanic }) })
  return topic.part(
    'System32\\drivers (attributes of $STANDARD_INFORMATION, names in certificates and version resources) and services in registry hive SYSTEM',
    known({ drivers: known({ virtioWindows }) }),
  )
}
