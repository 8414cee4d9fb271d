import { filePieces, type GuestEntry, GuestError, type GuestFiles, type GuestStat, type Pieces } from '../guest.ts'
import { turns } from '../turns.ts'
import type { Mount } from './mount-tree.ts'

const maxLinks = 40
/** Names that are walked for one path, those of its links too. */
const maxNames = 512
const maxCachedBytes = 1_048_576
/** What is remembered of all files together; the settings of an installed system have a small part of it. Unit: bytes. */
const mostRemembered = 8_388_608
/** What reads that run at once may give together. Unit: bytes. */
const mostAtOnce = 33_554_432

interface Place {
  readonly files: GuestFiles
  readonly path: string
  /** The volume's own top is what stands at the mount point, so its driver follows absolute links rightly. */
  readonly whole: boolean
}

interface Resolved {
  readonly path: string
  readonly place: Place
  readonly stat: GuestStat | undefined
}

/** Splits a path into its names; an empty one and . fall away. */
function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

/**
 * The guest's files as the running system sees them: paths go to the volume that is mounted there, and links are followed
 * from volume to volume. Answers are remembered, because many topics ask for the same files.
 */
export class RoutedFiles implements GuestFiles {
  readonly #mounts: readonly Mount[]
  readonly #substitutes: ReadonlyMap<string, string>
  readonly #single: boolean
  readonly #stats = new Map<string, Promise<GuestStat | undefined>>()
  readonly #stated = new Map<string, Promise<GuestStat | undefined>>()
  readonly #lists = new Map<string, Promise<readonly GuestEntry[] | undefined>>()
  readonly #reads = new Map<string, Promise<Buffer | undefined>>()
  readonly #turn = turns(mostAtOnce)
  #left = mostRemembered

  /** The substitutes name what the system itself puts in the place of a missing file when it first boots. */
  constructor(mounts: readonly Mount[], substitutes: ReadonlyMap<string, string> = new Map()) {
    this.#mounts = mounts.filter((mount) => mount.atBoot).toSorted((a, b) => b.mountPoint.length - a.mountPoint.length)
    this.#substitutes = substitutes
    this.#single = this.#mounts.length === 1 && substitutes.size === 0
  }

  #place(path: string): Place {
    for (const mount of this.#mounts) {
      const inside = mount.mountPoint === '/' ? path : path === mount.mountPoint ? '/' : undefined
      const rest = inside ?? (path.startsWith(`${mount.mountPoint}/`) ? path.slice(mount.mountPoint.length) : undefined)
      if (rest === undefined) continue
      if (mount.volume?.files === undefined) {
        throw new GuestError('unreadable', `The volume that is mounted at ${mount.mountPoint} cannot be read.`)
      }
      const inner = rest === '/' && mount.prefix !== '' ? mount.prefix : mount.prefix + rest
      return { files: mount.volume.files, path: inner, whole: mount.prefix === '' }
    }
    throw new GuestError('unreadable', 'No volume is mounted at the root.')
  }

  #statAt(path: string): Promise<GuestStat | undefined> {
    const known = this.#stats.get(path)
    if (known) return known
    const asked = (async () => {
      const { files, path: inside } = this.#place(path)
      return files.stat(inside)
    })()
    this.#stats.set(path, asked)
    return asked
  }

  /** Walks a path name by name; a last link is followed only when asked for. */
  async #resolve(path: string, followLast: boolean): Promise<Resolved> {
    let pending = namesOf(path)
    let walked: string[] = []
    let links = 0
    for (let names = 0; pending.length > 0; names++) {
      if (names > maxNames) throw new GuestError('damaged', 'A path of the guest is too long.')
      const [name = '', ...rest] = pending
      if (name === '..') {
        walked = walked.slice(0, -1)
        pending = rest
        continue
      }
      const here = `/${[...walked, name].join('/')}`
      const stat = await this.#statAt(here)
      const last = rest.length === 0
      if (stat?.kind === 'link' && (!last || followLast)) {
        links += 1
        if (links > maxLinks) throw new GuestError('damaged', 'Links of the guest form a circle.')
        const target = stat.target ?? ''
        if (target.startsWith('/')) walked = []
        pending = [...namesOf(target), ...rest]
        continue
      }
      if (stat === undefined) {
        const whole = [here, ...rest].join('/')
        const nearer = this.#substitutes.get(here)
        const substitute = nearer === undefined ? this.#substitutes.get(whole) : [nearer, ...rest].join('/')
        links += 1
        if (substitute === undefined || links > maxLinks)
          return { path: whole, place: this.#place(here), stat: undefined }
        walked = []
        pending = namesOf(substitute)
        continue
      }
      walked.push(name)
      if (last) return { path: here, place: this.#place(here), stat }
      pending = rest
    }
    const here = `/${walked.join('/')}`
    return { path: here, place: this.#place(here), stat: await this.#statAt(here) }
  }

  #remember<T>(cache: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
    const known = cache.get(key)
    if (known) return known
    const asked = ask()
    cache.set(key, asked)
    return asked
  }

  /**
   * Asks the volume's driver first, which answers in one turn. Only what it does not find is walked for, because a link may
   * lead to another volume.
   */
  async #ask<T>(
    path: string,
    followLast: boolean,
    of: (place: Place) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const direct = this.#place(path)
    if (direct.whole) {
      const found = await of(direct)
      if (found !== undefined || this.#single) return found
    }
    const { place, stat } = await this.#resolve(path, followLast)
    return stat === undefined ? undefined : of(place)
  }

  /** Content that is remembered, as long as there is room for it. */
  async #kept(ask: () => Promise<Buffer | undefined>): Promise<Buffer | undefined> {
    const content = this.#left < 0 ? undefined : await ask()
    this.#left -= content?.length ?? 0
    if (this.#left < 0) throw new GuestError('too-large', `Settings have more than ${mostRemembered} bytes together.`)
    return content
  }

  /** Content of a file; a directory, a device or a socket is no file, whatever a driver says of it. */
  async #content<T>(path: string, of: (place: Place) => Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await this.#ask(path, true, of)
    } catch (error) {
      if (!(error instanceof GuestError) || error.code !== 'unreadable') throw error
      const { stat } = await this.#resolve(path, true)
      if (stat === undefined || stat.kind === 'file') throw error
      return undefined
    }
  }

  async read(path: string, maxBytes?: number): Promise<Buffer | undefined> {
    const most = maxBytes ?? maxCachedBytes
    const content = () => this.#content(path, ({ files, path: inside }) => files.read(inside, most))
    if (most > maxCachedBytes) return this.#turn(content, most)
    return this.#remember(this.#reads, path, () => this.#turn(() => this.#kept(content), most))
  }

  async pieces(path: string, maxBytes: number): Promise<Pieces | undefined> {
    return this.#content(path, ({ files, path: inside }) => filePieces(files, inside, maxBytes))
  }

  async list(path: string): Promise<readonly GuestEntry[] | undefined> {
    const ask = () => this.#ask(path, true, ({ files, path: inside }) => files.list(inside))
    return this.#remember(this.#lists, path, ask)
  }

  async stat(path: string): Promise<GuestStat | undefined> {
    const ask = () => this.#ask(path, false, ({ files, path: inside }) => files.stat(inside))
    return this.#remember(this.#stated, path, ask)
  }
}
