import { constants, type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChangedVerdict } from '../documents/policy-impact.ts'
import { splitLines } from '../lines.ts'

async function nameless(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'imagegate-impact-'))
  try {
    return await open(join(folder, 'changed.ndjson'), 'wx+', 0o600)
  } finally {
    // The open file has no name from here on, so that nothing is left behind however the process ends.
    await rm(folder, { recursive: true, force: true })
  }
}

/** Changed verdicts in a file, one a line, because there may be more of them than memory holds. */
export class ImpactSpool {
  readonly #path: string | undefined
  readonly #file: FileHandle
  #bytes: number

  private constructor(path: string | undefined, file: FileHandle, bytes: number) {
    this.#path = path
    this.#file = file
    this.#bytes = bytes
  }

  /** A file of this run alone, or one at a path, cut to what an earlier run had counted of it. */
  static async open(path?: string, bytes = 0): Promise<ImpactSpool> {
    if (path === undefined) return new ImpactSpool(undefined, await nameless(), 0)
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    await file.truncate(bytes)
    return new ImpactSpool(path, file, bytes)
  }

  /** How much was written. */
  get bytes(): number {
    return this.#bytes
  }

  async add(changed: readonly ChangedVerdict[]): Promise<void> {
    if (changed.length === 0) return
    const text = Buffer.from(changed.map((one) => `${JSON.stringify(one)}\n`).join(''))
    await this.#file.write(text, 0, text.length, this.#bytes)
    this.#bytes += text.length
  }

  /** Resolves when what was written would survive a power cut. */
  sync(): Promise<void> {
    return this.#file.datasync()
  }

  /** The changed verdicts as JSON texts, in their order. */
  async *texts(): AsyncGenerator<string, void, void> {
    if (this.#bytes === 0) return
    const stream = this.#file.createReadStream({ start: 0, end: this.#bytes - 1, autoClose: false })
    for await (const line of splitLines(stream, 2 ** 20)) {
      if ('error' in line) throw line.error
      yield line.bytes.toString('utf8')
    }
  }

  /** Closes the file; one with a path is removed unless a later run is to go on with it. */
  async close(keep: boolean): Promise<void> {
    await this.#file.close()
    if (this.#path !== undefined && !keep) await rm(this.#path, { force: true })
  }
}
