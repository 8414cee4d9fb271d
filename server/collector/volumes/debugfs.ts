import { randomBytes } from 'node:crypto'
import { GuestError } from '../guest.ts'
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

function line(command: DebugfsCommand, folder: string, index: number): string {
  if (command.verb === 'ls') return `ls -p "${command.path}"`
  if (command.verb === 'stat') return `stat "${command.path}"`
  return `dump "${command.path}" "${folder}/${index}"`
}

/**
 * Runs commands in one debugfs. Between them stand words that no guest can know, which debugfs repeats on both of its
 * outputs, so that no file name or link target can pass for the answer of another command.
 */
export async function runDebugfs(
  { tools, disk, range }: VolumeSource,
  commands: readonly DebugfsCommand[],
): Promise<readonly (DebugfsAnswer | GuestError)[]> {
  const place = await disk.part(range.start, range.length, 'offsets')
  const word = `end-${randomBytes(16).toString('hex')}`
  const script = (at: string) =>
    commands.flatMap((command, index) => [line(command, at, index), `${word}-${index}`]).join('\n')
  const largest = commands.reduce((size, { sizeBytes = 0 }) => Math.max(size, sizeBytes), 0)
  const result = await tools.run({
    tool: 'debugfs',
    place,
    writes: true,
    files: (own) => ({ commands: `${script(own)}\n` }),
    args: ({ image, folder: own }) => ['-f', `${own}/commands`, extImage(image, place)],
    limits: { stdoutBytes: 33_554_432, fileBytes: largest + 65_536, seconds: 60 },
  })
  let output = result.stdout.toString()
  // The first line is the program's version.
  let problem = result.stderr.replace(/^debugfs \d.*\n/, '')
  return commands.map((_, index) => {
    const mark = `debugfs: ${word}-${index}\n`
    const outputEnd = output.indexOf(mark)
    const complaint = problem.indexOf(`${word}-${index}`)
    if (outputEnd < 0 || complaint < 0) return new GuestError('unreadable', 'debugfs did not answer to the end.')
    const piece = output.slice(0, outputEnd)
    const words = problem.slice(0, problem.lastIndexOf('\n', complaint) + 1)
    output = output.slice(outputEnd + mark.length)
    problem = problem.slice(problem.indexOf('\n', complaint) + 1)
    const file = result.files.get(String(index))
    return { output: piece.slice(piece.indexOf('\n') + 1), problem: words, ...(file ? { file } : {}) }
  })
}
