import type { Os } from '../../documents/facts.ts'
import type { GuestFiles } from '../guest.ts'
import type { Missing } from '../part.ts'
import { architectureOf } from './architecture.ts'
import {
  type Distribution,
  fromDebianVersion,
  fromFreebsdVersion,
  fromLsbRelease,
  fromOsRelease,
  fromRedHatRelease,
  fromSuseRelease,
} from './distribution.ts'
import { readText, stated } from './text.ts'
import { type Found, missing } from './topic.ts'

type Reader = (text: string, texts: ReadonlyMap<string, string>) => Distribution | undefined

const centosRelease = '/etc/centos-release'
const debianVersion = '/etc/debian_version'
const osRelease: Reader = (text, texts) =>
  fromOsRelease(text, texts.get(debianVersion), texts.get(centosRelease) ?? texts.get('/etc/redhat-release'))

/** Every release file, in the order in which one is believed. */
const readers: readonly (readonly [path: string, reader: Reader])[] = [
  ['/bin/freebsd-version', fromFreebsdVersion],
  ['/etc/os-release', osRelease],
  ['/usr/lib/os-release', osRelease],
  ['/etc/redhat-release', fromRedHatRelease],
  ['/etc/SuSE-release', fromSuseRelease],
  ['/etc/lsb-release', fromLsbRelease],
  [debianVersion, fromDebianVersion],
]

/** Files of rebuilds that keep redhat-release in Red Hat's words. */
const rebuilds = ['/etc/oracle-release']

/** What the release files say, each by itself. */
export interface Releases {
  readonly distribution: Distribution | undefined
  readonly files: readonly { readonly path: string; readonly namesDistribution: boolean }[]
}

/** Reads every release file. */
export async function readReleases(files: GuestFiles): Promise<Releases> {
  const paths = [...readers.map(([path]) => path), centosRelease, ...rebuilds]
  const read = await Promise.all(paths.map(async (path) => [path, await readText(files, path)] as const))
  const texts = new Map(read.flatMap(([path, text]) => (text === undefined ? [] : [[path, text] as const])))
  const told = readers.flatMap(([path, reader]) => {
    const text = texts.get(path)
    return text === undefined ? [] : [{ path, distribution: reader(text, texts) }]
  })
  const first = told.find(({ distribution }) => distribution !== undefined)
  const rebuilt = first?.path === '/etc/redhat-release' ? rebuilds.find((path) => texts.has(path)) : undefined
  const rebuild = rebuilt === undefined ? undefined : fromRedHatRelease(texts.get(rebuilt) ?? '')
  return {
    distribution: rebuild ?? first?.distribution,
    files: told.map(({ path, distribution }) => ({ path, namesDistribution: distribution !== undefined })),
  }
}

/** The section os and the list of release files. */
export async function osFacts(files: GuestFiles, releases: Releases): Promise<Found> {
  const { distribution } = releases
  const lost: Missing[] = []
  if (distribution === undefined) {
    lost.push(missing('/os/id', 'not-named', 'No release file of the guest names a distribution.'))
  } else if (distribution.version === undefined) {
    lost.push(missing('/os/version', 'not-named', 'The release files state no release in numbers.'))
  }
  const architecture = await architectureOf(files).catch(() => undefined)
  if (architecture === undefined) {
    lost.push(
      missing('/os/architecture', 'undeterminable', 'No program was found whose header tells the architecture.'),
    )
  }
  const type = distribution?.id === 'freebsd' ? ('freebsd' as const) : ('linux' as const)
  const os: Os = stated({ type, ...distribution, architecture })
  return { facts: { os, files: { releaseFiles: [...releases.files] } }, missing: lost }
}
