import type { Os } from '../../documents/facts.ts'
import type { Part } from '../part.ts'
import type { Hive } from './hive.ts'
import { known } from './known.ts'
import type { Registry } from './registry.ts'
import { Topic, undecided } from './topic.ts'

type Release = NonNullable<Os['windows']>
/** An NT version that the fact document can state. */
export type NtVersion = NonNullable<Release['ntVersion']>

const currentVersion = 'Microsoft\\Windows NT\\CurrentVersion'
const ntVersions: readonly NtVersion[] = ['5.0', '5.1', '5.2', '6.0', '6.1', '6.2', '6.3', '10.0']

/** The NT version: the numbers of Windows 10 and later, else CurrentVersion, which stays at 6.3 there. Throws what keeps it unknown. */
export function ntVersionOf(software: Hive): NtVersion {
  const major = software.dword(currentVersion, 'CurrentMajorVersionNumber')
  const minor = software.dword(currentVersion, 'CurrentMinorVersionNumber')
  const text = major === undefined ? software.text(currentVersion, 'CurrentVersion') : `${major}.${minor ?? '?'}`
  return ntVersions.find((version) => version === text) ?? undecided(`The NT version ${text ?? ''} is not known.`)
}

function buildOf(software: Hive): number {
  // CurrentBuild of NT 5 is an obsolete text.
  const text = software.text(currentVersion, 'CurrentBuildNumber') ?? software.text(currentVersion, 'CurrentBuild')
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : undecided('The build is no number.')
}

function productTypeOf(system: Hive): NonNullable<Release['productType']> {
  switch (system.text('Control\\ProductOptions', 'ProductType')?.toLowerCase()) {
    case 'winnt':
      return 'workstation'
    case 'servernt':
      return 'server'
    case 'lanmannt':
      return 'domain-controller'
    default:
      return undecided('ProductOptions names no product type that is known.')
  }
}

/** SYSTEM holds the service pack as a number, SOFTWARE as a text; neither means none. */
function servicePackOf({ system, software }: Registry): number {
  if (software.key(currentVersion) === undefined) undecided('The key CurrentVersion is not there.')
  const word = system.dword('Control\\Windows', 'CSDVersion')
  const text = software.text(currentVersion, 'CSDVersion')
  const written = text === undefined || text === '' ? undefined : /^Service Pack (\d{1,2})(?:\D|$)/.exec(text)?.[1]
  if (text !== undefined && text !== '' && written === undefined) undecided('CSDVersion names no service pack.')
  const fromText = written === undefined ? 0 : Number(written)
  if (word !== undefined && word >>> 8 !== fromText) undecided('SYSTEM and SOFTWARE name different service packs.')
  return fromText
}

function editionOf(software: Hive): string {
  const edition = software.text(currentVersion, 'EditionID')
  if (edition === undefined || !/^[A-Za-z0-9]{1,64}$/.test(edition)) return undecided('The registry names no edition.')
  return edition
}

function nameOf(software: Hive): string {
  const name = software.text(currentVersion, 'ProductName')
  if (name === undefined || name === '' || name.length > 255) return undecided('The registry names no product.')
  return name
}

const architectures: ReadonlyMap<string, NonNullable<Os['architecture']>> = new Map([
  ['amd64', 'x86_64'],
  ['x86', 'i386'],
  ['arm64', 'arm64'],
])

function architectureOf(system: Hive): NonNullable<Os['architecture']> {
  const name = system.text('Control\\Session Manager\\Environment', 'PROCESSOR_ARCHITECTURE')
  if (name === undefined) return undecided('The registry names no processor architecture.')
  return architectures.get(name.toLowerCase()) ?? 'other'
}

/** The installed Windows release, as the hives SOFTWARE and SYSTEM tell it. */
export function productPart(registry: Registry): Part {
  const { system, software } = registry
  const topic = new Topic()
  const take = <T>(name: string, find: () => T): T | undefined => topic.take(`/os/windows/${name}`, find)
  const ntVersion = take('ntVersion', () => ntVersionOf(software))
  const fromVista = ntVersion === undefined || !ntVersion.startsWith('5.')
  const editionId = fromVista ? take('editionId', () => editionOf(software)) : undefined
  const release = known({
    ntVersion,
    build: take('build', () => buildOf(software)),
    productType: take('productType', () => productTypeOf(system)),
    servicePack: take('servicePack', () => servicePackOf(registry)),
    editionId,
    releaseChannel:
      editionId === undefined
        ? undefined
        : /ACor$/i.test(editionId)
          ? ('semi-annual' as const)
          : ('long-term' as const),
  })
  const os = known({
    type: 'windows' as const,
    name: topic.take('/os/name', () => nameOf(software)),
    architecture: topic.take('/os/architecture', () => architectureOf(system)),
    windows: release,
  })
  return topic.part('registry hives SOFTWARE and SYSTEM', known({ os }))
}
