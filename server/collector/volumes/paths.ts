import { GuestError } from '../guest.ts'

/** The longest path that Linux takes. Unit: bytes. */
const longestPath = 4096

/**
 * Paths are given to programs that read commands, so only plain characters go there: no quote, control character or
 * dollar. Brackets and backslashes, which every Debian has in names of system files, mean nothing to those
 * programs. Throws a GuestError (refused) for another path.
 */
export function plainPath(path: string): string {
  if (!path.startsWith('/') || path.length > longestPath || !/^[A-Za-z0-9_./@:+=,~%{}#!()[\]\\ -]+$/.test(path))
    throw new GuestError('refused', 'A path holds characters that are not given to a program.')
  return path
}

/** The path's components without empty ones and dots. */
export function components(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

/** Where a link leads, not simplified: what stands before .. may be a link itself. */
export function linkTarget(path: string, target: string): string {
  if (target.startsWith('/')) return target
  return `${path.replace(/\/*$/, '').replace(/[^/]*$/, '')}${target}`
}
