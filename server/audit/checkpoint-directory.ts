import { createReadStream, existsSync } from 'node:fs'
import { appendFile, mkdir, open, readdir, stat, truncate } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { canonicalize } from '../digest.ts'
import type { Checkpoint } from '../documents/checkpoint.ts'
import { matches } from '../schemas.ts'
import type { Coverage } from './chain-store.ts'
import { tornBytes } from './checkpoint-files.ts'
import type { Store, StoreLog } from './store.ts'

const pattern = /^checkpoints-\d{4}-\d\d\.ndjson$/

/** Checkpoints that are appended and made durable at once. */
const portion = 500

/** The checkpoint that a line of a file holds; undefined for what is none, such as a line that a crash cut off. */
function checkpointOfLine(line: string): Checkpoint | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return matches('checkpoint', value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The files of a directory of checkpoints, oldest first. Rejects with the system's error. */
async function checkpointFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory)
  return names
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(directory, name))
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Takes away the part of a line that a crash left at the end of a file; where nothing may be taken away, it ends the line. */
async function repair(file: string): Promise<void> {
  const torn = await tornBytes(file)
  if (torn === 0) return
  const { size } = await stat(file)
  await truncate(file, size - torn).catch(() => appendFile(file, '\n'))
}

/**
 * Keeps the checkpoints of a database in a directory outside of it, a file a month, one checkpoint a line. It only
 * appends, but for the torn end of a file after a crash.
 */
export class CheckpointDirectory {
  readonly #directory: string
  readonly #store: Pick<Store, 'coverage' | 'checkpoints'>
  readonly #log: StoreLog
  /** The last sequence number of each tenant that stands in the files; undefined when they must be read again. */
  #written: Map<string, number> | undefined
  /** Files that are known to end with a whole line. */
  readonly #sound = new Set<string>()
  readonly #ahead = new Set<string>()

  constructor(directory: string, store: Pick<Store, 'coverage' | 'checkpoints'>, log: StoreLog) {
    this.#directory = directory
    this.#store = store
    this.#log = log
  }

  /** Appends what the database has and the files have not. Rejects with the system's or the store's error. */
  async follow(): Promise<void> {
    const coverage = await this.#store.coverage()
    try {
      this.#written ??= await this.#read(coverage)
      for (const { tenant, covered } of coverage) await this.#append(this.#written, tenant, covered)
      this.#compare(this.#written, coverage)
    } catch (error) {
      // What became of the last line is not known.
      this.#written = undefined
      this.#sound.clear()
      throw error
    }
  }

  async #append(written: Map<string, number>, tenant: string, covered: number): Promise<void> {
    for (let last = written.get(tenant) ?? 0; last < covered; ) {
      const checkpoints = await this.#store.checkpoints(tenant, last, portion)
      const newest = checkpoints.at(-1)
      if (newest === undefined) return
      const months = new Map<string, Checkpoint[]>()
      for (const checkpoint of checkpoints) {
        const month = checkpoint.at.slice(0, 7)
        months.set(month, [...(months.get(month) ?? []), checkpoint])
      }
      for (const [month, those] of months) await this.#write(`checkpoints-${month}.ndjson`, those)
      last = newest.sequence
      written.set(tenant, last)
    }
  }

  async #write(name: string, checkpoints: readonly Checkpoint[]): Promise<void> {
    const file = join(this.#directory, name)
    const made = !existsSync(file)
    if (!made && !this.#sound.has(name)) await repair(file)
    this.#sound.add(name)
    const handle = await open(file, 'a', 0o600)
    try {
      await handle.appendFile(checkpoints.map((checkpoint) => `${canonicalize(checkpoint)}\n`).join(''))
      await handle.sync()
      if (made) await syncDirectory(this.#directory)
    } finally {
      await handle.close()
    }
  }

  /** Where the files end for each tenant; from the newest file back until every tenant of the database was found. */
  async #read(coverage: readonly Coverage[]): Promise<Map<string, number>> {
    const made = await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    if (made !== undefined) await syncDirectory(dirname(made))
    const wanted = new Set(coverage.map(({ tenant }) => tenant))
    const written = new Map<string, number>()
    for (const file of (await checkpointFiles(this.#directory)).toReversed()) {
      await repair(file)
      this.#sound.add(basename(file))
      for await (const line of createInterface({
        input: createReadStream(file),
        crlfDelay: Number.POSITIVE_INFINITY,
      })) {
        const checkpoint = checkpointOfLine(line)
        if (checkpoint === undefined) continue
        const { tenant, sequence } = checkpoint
        written.set(tenant, Math.max(sequence, written.get(tenant) ?? 0))
        wanted.delete(tenant)
      }
      if (wanted.size === 0) break
    }
    return written
  }

  /** Tells once of each tenant that the files know further than the database does. */
  #compare(written: ReadonlyMap<string, number>, coverage: readonly Coverage[]): void {
    const sealed = new Map(coverage.map((one) => [one.tenant, one.sealed]))
    for (const [tenant, sequence] of written) {
      if (sequence <= (sealed.get(tenant) ?? 0) || this.#ahead.has(tenant)) continue
      this.#ahead.add(tenant)
      this.#log.warn(
        { tenant, outside: sequence, sealed: sealed.get(tenant) ?? 0 },
        'The checkpoints outside cover verdicts that the database does not have: it is an older copy, or was changed',
      )
    }
  }
}
