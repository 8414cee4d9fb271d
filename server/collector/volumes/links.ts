import { GuestError, type GuestStat } from '../guest.ts'
import { components, linkTarget } from './paths.ts'

/** As many links as Linux follows for one path. */
const mostLinks = 40

/** Looks at one path without following its last link. */
export type Look = (path: string) => Promise<GuestStat | undefined>

/** A path without links, and what stands there. */
export interface Found {
  readonly path: string
  readonly stat: GuestStat
}

const endless = () => new GuestError('unreadable', 'Links lead in a circle, or too far.')

/**
 * Follows the last component's links, for file systems whose program follows all others by itself. Undefined when nothing
 * is there; throws a GuestError for a circle.
 */
export async function followLast(look: Look, path: string): Promise<Found | undefined> {
  let here = path
  for (let links = 0; links <= mostLinks; links += 1) {
    const stat = await look(here)
    if (stat === undefined) return undefined
    if (stat.kind !== 'link') return { path: here, stat }
    if (stat.target === undefined) throw new GuestError('unreadable', 'The target of a link cannot be read.')
    here = linkTarget(here, stat.target)
  }
  throw endless()
}

/** Walks a path from the root and follows every link inside the guest, the last one only when asked. */
export async function walk(look: Look, path: string, last: 'follow' | 'keep'): Promise<Found | undefined> {
  const ahead = components(path)
  const real: string[] = []
  let stat: GuestStat | undefined = await look('/')
  let links = 0
  while (ahead.length > 0 && stat) {
    const name = ahead.shift() ?? ''
    if (name === '..') real.pop()
    else real.push(name)
    stat = await look(`/${real.join('/')}`)
    if (stat?.kind !== 'link' || (ahead.length === 0 && last === 'keep')) {
      if (stat && stat.kind !== 'directory' && ahead.length > 0) return undefined
      continue
    }
    links += 1
    if (links > mostLinks) throw endless()
    if (stat.target === undefined) throw new GuestError('unreadable', 'The target of a link cannot be read.')
    if (stat.target.startsWith('/')) real.length = 0
    else real.pop()
    ahead.unshift(...components(stat.target))
    if (ahead.length === 0) stat = await look(`/${real.join('/')}`)
  }
  return stat && { path: `/${real.join('/')}`, stat }
}

/** Remembers what was looked at; a question asked again costs nothing. */
export function remembered<Answer>(ask: (path: string) => Promise<Answer>): (path: string) => Promise<Answer> {
  const known = new Map<string, Promise<Answer>>()
  return (path) => {
    const found = known.get(path) ?? ask(path)
    known.set(path, found)
    return found
  }
}
