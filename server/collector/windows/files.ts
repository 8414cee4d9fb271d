import { writeFile } from 'node:fs/promises'
import { filePieces, type GuestEntry, type GuestFiles, type GuestStat } from '../guest.ts'
import { foldName } from './names.ts'

/** Files of a Windows volume, found without regard to case; each directory is listed once. */
export class WindowsFiles {
  readonly #files: GuestFiles
  readonly #listings = new Map<string, Promise<readonly GuestEntry[] | undefined>>()

  constructor(files: GuestFiles) {
    this.#files = files
  }

  #listing(path: string): Promise<readonly GuestEntry[] | undefined> {
    const known = this.#listings.get(path)
    if (known !== undefined) return known
    const listing = this.#files.list(path)
    this.#listings.set(path, listing)
    return listing
  }

  /** The path as the volume spells it; undefined when nothing is there. */
  async find(path: string): Promise<string | undefined> {
    let found = ''
    for (const wanted of path.split('/').filter((name) => name !== '')) {
      const entries = await this.#listing(found === '' ? '/' : found)
      const alike = entries?.filter((entry) => foldName(entry.name) === foldName(wanted)) ?? []
      const name = (alike.find((entry) => entry.name === wanted) ?? alike[0])?.name
      if (name === undefined) return undefined
      found = `${found}/${name}`
    }
    return found === '' ? '/' : found
  }

  /** Content of a file; undefined when there is no such file. */
  async read(path: string, maxBytes?: number): Promise<Buffer | undefined> {
    const found = await this.find(path)
    return found === undefined ? undefined : this.#files.read(found, maxBytes)
  }

  /** Writes the content of a file to a new file of ours; false when there is no such file. */
  async save(path: string, target: string, maxBytes: number): Promise<boolean> {
    const found = await this.find(path)
    if (found === undefined) return false
    if (this.#files.save) return this.#files.save(found, target, maxBytes)
    const content = await filePieces(this.#files, found, maxBytes)
    if (content !== undefined) await writeFile(target, content, { flag: 'wx', mode: 0o600 })
    return content !== undefined
  }

  /** Size, kind and attributes; undefined when nothing is there. */
  async stat(path: string): Promise<GuestStat | undefined> {
    const found = await this.find(path)
    return found === undefined ? undefined : this.#files.stat(found)
  }

  /** Names in a directory; undefined when there is no such directory. */
  async list(path: string): Promise<readonly GuestEntry[] | undefined> {
    const found = await this.find(path)
    return found === undefined ? undefined : this.#listing(found)
  }
}
