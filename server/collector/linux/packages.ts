import { GuestError, type GuestFiles, largestReadBytes } from '../guest.ts'
import { type Package, readDpkg } from './dpkg.ts'
import { type Packaged, PackagedFiles } from './packaged.ts'
import { readRpm } from './rpm.ts'
import type { RpmHeader } from './rpm-header.ts'
import { dpkgBaseline } from './system-files.ts'

/** The packages of a guest, whichever database keeps them. */
export interface Packages {
  readonly database: 'dpkg' | 'rpm' | undefined
  readonly installed: ReadonlyMap<string, Package>
  /** Files with digests, neither configuration nor ghost; for dpkg they are read only when asked for. */
  packaged(): Promise<readonly Packaged[]>
}

const byName = (packages: readonly Package[]) => new Map(packages.map((one) => [one.name, one]))

/** A database that is read for names alone; a larger one is worth its memory only when digests are wanted. */
const maxNameBytes = 64 * 1_048_576

function refused(message: string): () => Promise<never> {
  return async () => {
    throw new GuestError('unverifiable', message)
  }
}

/** The files of all packages. Throws a GuestError: too-large. */
export function packagedFiles(headers: readonly RpmHeader[]): readonly Packaged[] {
  const found = new PackagedFiles()
  for (const header of headers) for (const one of header.packaged()) found.add(one)
  return found.all
}

/** Reads the package database; a guest without one has no packages. */
export async function readPackages(files: GuestFiles, wantsDigests: boolean): Promise<Packages> {
  const [dpkg, rpm] = await Promise.all([
    readDpkg(files),
    readRpm(files, wantsDigests ? largestReadBytes : maxNameBytes),
  ])
  if (dpkg) {
    const packaged = async () => (await dpkgBaseline(files)) ?? refused('dpkg keeps no digests in this guest.')()
    return { database: 'dpkg', installed: byName(dpkg), packaged }
  }
  if (rpm) {
    const installed = byName(rpm.map((header) => header.package()).filter((one) => one !== undefined))
    const digests = async () => packagedFiles(rpm)
    // Headers hold on to the whole database, so they are let go when nobody wants their digests.
    const packaged = wantsDigests ? digests : refused('The digests of the rpm database were not asked for.')
    return { database: 'rpm', installed, packaged }
  }
  return { database: undefined, installed: new Map(), packaged: refused('The guest has no database of dpkg or rpm.') }
}
