import { randomBytes } from 'node:crypto'
import { GuestError, largestReadBytes } from '../guest.ts'
import type { Session } from '../tools/session.ts'
import { extImage } from './ext-image.ts'
import type { VolumeSource } from './volume.ts'

/** One command of debugfs about one path. */
export interface DebugfsCommand {
  readonly verb: 'stat' | 'ls' | 'dump'
  /** Already found to be plain. */
  readonly path: string
  /** For dump: how large the file is. Unit: bytes. */
  readonly sizeBytes?: number
}

/** What debugfs printed for one command, and the file it wrote. */
export interface DebugfsAnswer {
  readonly output: string
  readonly problem: string
  readonly file?: Buffer
}

/** Has commands answered by a running debugfs. */
export type Debugfs = (commands: readonly DebugfsCommand[]) => Promise<readonly (DebugfsAnswer | GuestError)[]>

function line(command: DebugfsCommand, file: string): string {
  if (command.verb === 'ls') return `ls -p "${command.path}"`
  if (command.verb === 'stat') return `stat "${command.path}"`
  return `dump "${command.path}" "${file}"`
}

/**
 * Asks for one list of commands. Behind each stands a word that no guest can know, which debugfs repeats on both of its
 * outputs, so that no file name or link target can pass for the answer of another command.
 */
async function askAll(
  session: Session,
  commands: readonly DebugfsCommand[],
): Promise<readonly (DebugfsAnswer | GuestError)[]> {
  const word = `end-${randomBytes(16).toString('hex')}`
  const mark = (index: number) => `${word}-${index}`
  const name = (index: number) => mark(index)
  const lines = commands.flatMap((command, index) => [line(command, `${session.folder}/${name(index)}`), mark(index)])
  const said = await session.ask(`${lines.join('\n')}\n`, mark(commands.length - 1))
  let output = said.stdout.toString()
  // The first line of all is the program's version.
  let problem = said.stderr.toString().replace(/^debugfs \d.*\n/, '')
  const answers: (DebugfsAnswer | GuestError)[] = []
  for (const [index, { verb }] of commands.entries()) {
    const echo = `debugfs: ${mark(index)}\n`
    const end = output.indexOf(echo)
    const complaint = problem.indexOf(mark(index))
    if (end < 0 || complaint < 0) {
      answers.push(new GuestError('unreadable', 'debugfs did not answer to the end.'))
      continue
    }
    const piece = output.slice(0, end)
    const words = problem.slice(0, problem.lastIndexOf('\n', complaint) + 1)
    output = output.slice(end + echo.length)
    problem = problem.slice(problem.indexOf('\n', complaint) + 1)
    const file = verb === 'dump' ? await session.take(name(index), largestReadBytes + 65_536) : undefined
    answers.push({ output: piece.slice(piece.indexOf('\n') + 1), problem: words, ...(file ? { file } : {}) })
  }
  return answers
}

/** A debugfs that is started with the first question and again if it has ended; lists are answered one after the other. */
export function openDebugfs({ tools, disk, range }: VolumeSource): Debugfs {
  let session: Session | undefined
  let last: Promise<unknown> = Promise.resolve()
  const start = async () => {
    const place = await disk.part(range.start, range.length, 'offsets')
    const limits = { stdoutBytes: 16_777_216, fileBytes: largestReadBytes + 65_536, seconds: 60 }
    // With -c it reads no bitmaps, which nobody asks for, and which an image can make as large as all memory.
    const args = (image: string) => ['-c', '-f', '-', extImage(image, place)]
    return tools.start({ tool: 'debugfs', place, args: ({ image }) => args(image), limits })
  }
  return (commands) => {
    const turn = last.then(async () => {
      if (!session?.alive()) session = await start()
      return askAll(session, commands)
    })
    last = turn.catch(() => undefined)
    return turn
  }
}
