import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GuestError } from '../guest.ts'
import { readGuarded } from './read-folder.ts'
import { killGroup, type Start, startProcess } from './spawn.ts'

/** What a program wrote between two questions. */
export interface Said {
  readonly stdout: Buffer
  readonly stderr: Buffer
}

/** A program that is asked over and over, which costs a start only once. */
export interface Session {
  /** The program's own directory, as it sees it. */
  readonly folder: string
  /**
   * Sends lines and waits until the mark stands in both outputs, or the program has ended. Throws a GuestError when that
   * takes too long or too much; the session is over then.
   */
  ask(lines: string, mark: string): Promise<Said>
  /** A file that the program wrote into its directory, which is then removed; undefined when there is none. */
  take(name: string, maxBytes: number): Promise<Buffer | undefined>
  /** Whether the program still runs. */
  alive(): boolean
  stop(): void
}

/** How much one answer may take. */
interface AskLimits {
  readonly seconds: number
  readonly bytes: number
}

/** One output, read until a mark. */
function reader(limit: number, tooMuch: () => void) {
  let pieces: Buffer[] = []
  let size = 0
  let tail = ''
  return {
    take(piece: Buffer, mark: string): boolean {
      pieces.push(piece)
      size += piece.length
      if (size > limit) tooMuch()
      const text = tail + piece.toString('latin1')
      tail = text.slice(-mark.length - 1)
      return text.includes(`${mark}\n`)
    },
    drain(): Buffer {
      const all = Buffer.concat(pieces)
      pieces = []
      size = 0
      tail = ''
      return all
    },
  }
}

/** Starts a program that answers on its standard input and outputs; outside is its directory as we see it. */
export function startSession(start: Start, outside: string, folder: string, limits: AskLimits): Session {
  const child = startProcess({ ...start, input: 'open' })
  let alive = true
  let failure: GuestError | undefined
  let settle: () => void = () => undefined
  let mark = ''
  const fail = (code: string, message: string) => {
    failure ??= new GuestError(code, message)
    killGroup(child)
    settle()
  }
  const tooMuch = () => fail('too-large', `More than ${limits.bytes} bytes were to be read.`)
  const outputs = [reader(limits.bytes, tooMuch), reader(limits.bytes, tooMuch)] as const
  const seen = [false, false]
  for (const [index, stream] of [child.stdout, child.stderr].entries())
    stream?.on('data', (piece: Buffer) => {
      if (outputs[index]?.take(piece, mark)) seen[index] = true
      if (seen.every(Boolean)) settle()
    })
  const over = () => {
    alive = false
    settle()
  }
  child.stdin?.on('error', over)
  child.once('error', over)
  child.once('close', over)
  return {
    folder,
    alive: () => alive && failure === undefined,
    stop: () => killGroup(child),
    take: async (name, maxBytes) => {
      const path = join(outside, name)
      const bytes = await readGuarded(path, maxBytes)
      if (bytes) await rm(path, { force: true })
      return bytes
    },
    ask: async (lines, end) => {
      mark = end
      seen.fill(false)
      const late = setTimeout(
        () => fail('timed-out', `A program was ended after ${limits.seconds} seconds.`),
        limits.seconds * 1000,
      )
      await new Promise<void>((resolve) => {
        settle = resolve
        if (!alive || failure) resolve()
        else child.stdin?.write(lines)
      })
      clearTimeout(late)
      if (failure) throw failure
      return { stdout: outputs[0].drain(), stderr: outputs[1].drain() }
    },
  }
}
