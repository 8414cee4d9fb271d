import type { LockedPolicy } from '../lock.ts'
import type { Folder, FolderPolicy } from './folder.ts'

/** The path that a released version has in the folder. */
export function pathOf({ family, version }: Pick<LockedPolicy, 'family' | 'version'>): string {
  return `${family}/${version}.yaml`
}

/** What the lock says of a file, by its path. */
export function lockedOf({ lock }: Folder, { source }: FolderPolicy): LockedPolicy | undefined {
  return lock?.lock.policies.find((one) => pathOf(one) === source.path)
}
