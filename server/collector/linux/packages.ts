import type { GuestFiles } from '../guest.ts'
import { type Package, readDpkg } from './dpkg.ts'

/** The packages of a guest, whichever database keeps them. */
export interface Packages {
  readonly baseline: 'dpkg' | 'rpm' | undefined
  /** Undefined when the database cannot be read. */
  readonly installed: ReadonlyMap<string, Package> | undefined
}

const rpmDirectories = ['/var/lib/rpm', '/usr/lib/sysimage/rpm', '/usr/share/rpm']

/** Reads the package database. */
export async function readPackages(files: GuestFiles): Promise<Packages> {
  const [dpkg, ...rpm] = await Promise.all([
    readDpkg(files),
    ...rpmDirectories.map((directory) => files.list(directory)),
  ])
  const byName = (packages: readonly Package[]) => new Map(packages.map((one) => [one.name, one]))
  if (dpkg) return { baseline: 'dpkg', installed: byName(dpkg) }
  return { baseline: rpm.some((list) => list?.length) ? 'rpm' : undefined, installed: undefined }
}
