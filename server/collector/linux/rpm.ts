import { GuestError, type GuestFiles } from '../guest.ts'
import { berkeleyValues, isBerkeleyHash } from './rpm-bdb.ts'
import { RpmHeader } from './rpm-header.ts'
import { isNdb, ndbValues } from './rpm-ndb.ts'
import { isSqlite, sqliteValues } from './rpm-sqlite.ts'
import { takeAtMost } from './rpm-take.ts'

const directories = ['/var/lib/rpm', '/usr/lib/sysimage/rpm', '/usr/share/rpm']
const names = ['rpmdb.sqlite', 'Packages.db', 'Packages']
/** The shortest header has a name and a version; what is shorter is a counter of the database. */
const minHeaderBytes = 40
const maxPackages = 50_000

function* blobs(bytes: Buffer, log: Buffer | undefined): Generator<Buffer> {
  const take = takeAtMost(bytes.length + (log?.length ?? 0))
  if (isSqlite(bytes)) yield* sqliteValues(bytes, log, take)
  else if (isNdb(bytes)) yield* ndbValues(bytes, take)
  else if (isBerkeleyHash(bytes)) yield* berkeleyValues(bytes, take)
  else throw new GuestError('unsupported', 'The rpm database has a form that is not known.')
}

/** Reads the packages in the bytes of an rpm database of any form. */
export function parseRpmDatabase(bytes: Buffer, log?: Buffer): RpmHeader[] {
  const headers: RpmHeader[] = []
  try {
    for (const blob of blobs(bytes, log)) {
      if (blob.length < minHeaderBytes) continue
      if (headers.length >= maxPackages) throw new GuestError('too-large', 'The rpm database has too many packages.')
      headers.push(new RpmHeader(blob))
    }
  } catch (error) {
    if (error instanceof RangeError) throw new GuestError('damaged', 'The rpm database is damaged.')
    throw error
  }
  return headers
}

/** The packages that rpm installed, from a database of at most so many bytes; undefined when the guest has none. */
export async function readRpm(files: GuestFiles, maxBytes: number): Promise<RpmHeader[] | undefined> {
  const lists = await Promise.all(directories.map((directory) => files.list(directory)))
  const paths = names.flatMap((name) =>
    directories
      .filter((_, index) => lists[index]?.some((entry) => entry.name === name))
      .map((directory) => `${directory}/${name}`),
  )
  const [path] = paths
  if (path === undefined) return undefined
  const [bytes, log] = await Promise.all([
    files.read(path, maxBytes),
    path.endsWith('sqlite') ? files.read(`${path}-wal`, maxBytes) : undefined,
  ])
  return bytes === undefined ? undefined : parseRpmDatabase(bytes, log)
}
