import { randomBytes } from 'node:crypto'
import { type GuestEntry, GuestError, type GuestStat } from '../guest.ts'
import type { Extent } from './extents.ts'
import type { VolumeSource } from './volume.ts'
import { parseExtents } from './xfs-extents.ts'

/** One question to xfs_db: what a path without links is, what a directory holds, or where a file's bytes lie. */
export interface XfsQuestion {
  readonly verb: 'stat' | 'ls' | 'map'
  readonly path: string
}

/** The answer to each kind of question. */
export interface XfsAnswer {
  readonly stat?: GuestStat
  readonly entries?: readonly GuestEntry[]
  readonly extents?: readonly Extent[]
}

const fileTypes: Readonly<Record<string, GuestStat['kind']>> = {
  regular: 'file',
  directory: 'directory',
  symlink: 'link',
}

const modes: Readonly<Record<number, GuestStat['kind']>> = { 8: 'file', 4: 'directory', 10: 'link' }

/** Undoes the escapes of xfs_db's strings. */
function plainText(text: string): string {
  const bytes = Buffer.from(text).toString('latin1')
  const plain = bytes.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    /^[0-7]{3}$/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : code,
  )
  return Buffer.from(plain, 'latin1').toString()
}

function parseStat(text: string): GuestStat | undefined {
  const [, octal] = /^core\.mode = ([0-7]+)$/m.exec(text) ?? []
  const [, size] = /^core\.size = (\d+)$/m.exec(text) ?? []
  if (octal === undefined || size === undefined) return undefined
  const mode = Number.parseInt(octal, 8)
  const [, target] = /^u3?\.symlink = "(.*)"$/m.exec(text) ?? []
  return {
    kind: modes[mode >> 12] ?? 'other',
    sizeBytes: Number(size),
    mode: mode & 0o7777,
    immutable: /^core\.immutable = 1$/m.test(text),
    appendOnly: /^core\.append = 1$/m.test(text),
    ...(target === undefined ? {} : { target: plainText(target) }),
  }
}

function parseEntries(text: string): GuestEntry[] {
  const entries: GuestEntry[] = []
  for (const line of text.split('\n')) {
    const [, type = '', name] = /^\d+ +\d+ +(\S+) +0x[0-9a-f]+ +\d+ (.+) \(\w+\) *$/.exec(line) ?? []
    if (name === undefined || name === '.' || name === '..') continue
    entries.push({ name, kind: fileTypes[type] ?? 'other' })
  }
  return entries
}

function answerOf(question: XfsQuestion, text: string): XfsAnswer | GuestError | undefined {
  if (/: (No such file or directory|Not a directory)$/m.test(text.split('\n', 1)[0] ?? '')) return undefined
  if (question.verb === 'ls') return { entries: parseEntries(text) }
  if (question.verb === 'map') return { extents: parseExtents(text) }
  const stat = parseStat(text)
  return stat ? { stat } : new GuestError('unreadable', 'xfs_db could not read the file system there.')
}

const statFields = ['core.mode', 'core.size', 'core.immutable', 'core.append', 'u3.symlink', 'u.symlink']

/** Asks one xfs_db. Words that no guest can know stand between the answers. */
export async function runXfsDb(
  { tools, disk, range, names }: VolumeSource,
  questions: readonly XfsQuestion[],
): Promise<readonly (XfsAnswer | GuestError | undefined)[]> {
  const word = `end-${randomBytes(16).toString('hex')}`
  const commands = questions.flatMap(({ verb, path }, index) => {
    if (path.includes(' ')) return [`echo ${word}-${index}`]
    const mark = `echo ${word}-${index}`
    // A path that is not there leaves the last one in place, so each begins at the superblock.
    if (verb === 'map') return ['sb 0', 'print agblocks', 'print blocksize', `path ${path}`, 'bmap', mark]
    if (verb === 'ls') return ['sb 0', `path ${path}`, 'ls', mark]
    return ['sb 0', `path ${path}`, ...statFields.map((field) => `print ${field}`), mark]
  })
  const place = await disk.part(range.start, range.length)
  const result = await tools.run({
    tool: 'xfs_db',
    place,
    args: ({ image }) => ['-r', '-f', ...commands.flatMap((command) => ['-c', command]), image],
    limits: { stdoutBytes: 16_777_216 },
  })
  let output = result.stdout.toString()
  return questions.map((question, index) => {
    const mark = `${word}-${index}`
    const end = output.indexOf(mark)
    if (end < 0) return new GuestError('unreadable', 'xfs_db did not answer to the end.')
    const piece = output.slice(0, end)
    output = output.slice(output.indexOf('\n', end) + 1)
    if (question.path.includes(' ')) return new GuestError('refused', 'xfs_db cannot be given a path with a blank.')
    try {
      const answer = answerOf(question, piece)
      if (!(answer instanceof GuestError)) names.count(answer?.entries?.length ?? 0)
      return answer
    } catch (error) {
      // One damaged file does not spoil the other answers.
      if (error instanceof GuestError) return error
      throw error
    }
  })
}
