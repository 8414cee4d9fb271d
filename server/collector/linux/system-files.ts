import { createHash } from 'node:crypto'
import type { Files } from '../../documents/facts.ts'
import { filePieces, GuestError, type GuestFiles, type GuestStat, type Pieces } from '../guest.ts'
import { readDpkg } from './dpkg.ts'
import { type Packaged, PackagedFiles } from './packaged.ts'
import { detached, linesOf, readText } from './text.ts'
import { type Found, missing } from './topic.ts'

type Modified = NonNullable<NonNullable<Files['systemFiles']>['modified']>

const inFlight = 32
const maxFiles = 200_000
const maxModified = 1024
const maxFileBytes = 128 * 1_048_576
/** What files that are read at once may have together. */
const groupBytes = 32 * 1_048_576
const maxListBytes = 16 * 1_048_576
const systemDirectory = /^\/(bin|sbin|lib[^/]*)\//
const mergedDirectory = /^\/usr\/(bin|sbin|lib[^/]*)\//

/** What a file may take in memory. The size of what a link leads to is not known, so it counts as the largest. */
function bytesOf(stat: PromiseSettledResult<GuestStat | undefined> | undefined): number {
  if (stat?.status !== 'fulfilled') return maxFileBytes
  return stat.value === undefined ? 0 : stat.value.kind === 'file' ? stat.value.sizeBytes : maxFileBytes
}

/** Does something with files, as many at once as fit into memory together; one that does not has its turn by itself. */
async function inGroups<Item extends { readonly path: string }, Result>(
  files: GuestFiles,
  items: readonly Item[],
  task: (item: Item) => Promise<Result>,
): Promise<PromiseSettledResult<Result>[]> {
  const stats = await Promise.allSettled(items.map(({ path }) => files.stat(path)))
  const answers: PromiseSettledResult<Result>[] = []
  while (answers.length < items.length) {
    const first = answers.length
    let end = first + 1
    for (let sum = bytesOf(stats[first]); end < items.length; end += 1) {
      sum += bytesOf(stats[end])
      if (sum > groupBytes) break
    }
    answers.push(...(await Promise.allSettled(items.slice(first, end).map(task))))
  }
  return answers
}

/** The paths that stand in /bin, /sbin and /lib*; where those are links, what stands behind them. */
export async function systemPaths(files: GuestFiles): Promise<(path: string) => boolean> {
  const bin = await files.stat('/bin')
  const merged = bin?.kind === 'link'
  return (path) => systemDirectory.test(path) || (merged && mergedDirectory.test(path))
}

/** What dpkg knows of its files: digests without configuration, and diverted files where they went. */
export async function dpkgBaseline(files: GuestFiles): Promise<readonly Packaged[] | undefined> {
  const [packages, entries, diversionText] = await Promise.all([
    readDpkg(files),
    files.list('/var/lib/dpkg/info'),
    readText(files, '/var/lib/dpkg/diversions'),
  ])
  if (packages === undefined || entries === undefined) return undefined
  const names = new Set(entries.map(({ name }) => name))
  const diversions = new Map<string, { to: string; by: string }>()
  const lines = linesOf(diversionText ?? '')
  for (let at = 0; at + 2 < lines.length; at += 3) {
    diversions.set(lines[at] ?? '', { to: lines[at + 1] ?? '', by: lines[at + 2] ?? '' })
  }
  const listed = packages.flatMap((one) => {
    const own = [`${one.name}.md5sums`, `${one.name}:${one.architecture}.md5sums`]
    const list = own.find((file) => names.has(file))
    return list === undefined ? [] : [{ ...one, path: `/var/lib/dpkg/info/${list}` }]
  })
  const found = new PackagedFiles()
  const take = async ({ name, configuration, path: list }: (typeof listed)[number]) => {
    for (const line of linesOf(await textOf(files, list), maxFiles)) {
      const match = /^([0-9a-f]{32}) [ *](.+)$/.exec(line)
      const path = `/${match?.[2] ?? ''}`
      if (match?.[1] === undefined || configuration.includes(path)) continue
      const diverted = diversions.get(path)
      const real = diverted && diverted.by !== name ? diverted.to : path
      found.add({ path: detached(real), algorithm: 'md5', digest: detached(match[1]) })
    }
  }
  for (let at = 0; at < listed.length; at += inFlight) {
    for (const answer of await inGroups(files, listed.slice(at, at + inFlight), take))
      if (answer.status === 'rejected') throw answer.reason
  }
  return found.all
}

/** The text of a list of digests. */
async function textOf(files: GuestFiles, path: string): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of (await filePieces(files, path, maxListBytes)) ?? []) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

const prelinkMark = '.gnu.prelink_undo'

/** True for a program that prelink changed; what it was before cannot be computed here. */
async function isPrelinked(content: Pieces): Promise<boolean> {
  let tail: Buffer = Buffer.alloc(0)
  for await (const piece of content) {
    const joined = tail.length === 0 ? piece : Buffer.concat([tail, piece])
    if (joined.includes(prelinkMark)) return true
    tail = Buffer.from(joined.subarray(-prelinkMark.length))
  }
  return false
}

type Change = Modified[number]['change'] | undefined

async function compare(one: Packaged, open: () => Promise<Pieces | undefined>): Promise<Change> {
  const content = await open()
  if (content === undefined) return 'missing'
  const hash = createHash(one.algorithm)
  for await (const piece of content) hash.update(piece)
  if (hash.digest('hex') === one.digest.toLowerCase()) return undefined
  if (await isPrelinked((await open()) ?? [])) {
    throw new GuestError('unverifiable', 'Programs are prelinked, and their packaged content cannot be restored.')
  }
  return 'content'
}

/** Compares every packaged system file with its digest. One that cannot be compared leaves only a certain difference to be told. */
export async function verifySystemFiles(
  files: GuestFiles,
  baseline: 'dpkg' | 'rpm',
  packaged: readonly Packaged[],
): Promise<Found> {
  const isSystem = await systemPaths(files)
  const wanted = packaged.filter(({ path }) => isSystem(path))
  if (wanted.length === 0) throw new GuestError('unverifiable', 'The package database has no digests of system files.')
  if (wanted.length > maxFiles) throw new GuestError('too-large', 'The package database names too many system files.')
  const modified: Modified = []
  const failures: unknown[] = []
  for (let at = 0; at < wanted.length && modified.length <= maxModified; at += inFlight) {
    const batch = wanted.slice(at, at + inFlight)
    const answers = await inGroups(files, batch, (one) => compare(one, () => filePieces(files, one.path, maxFileBytes)))
    for (const [index, answer] of answers.entries()) {
      const path = batch[index]?.path.slice(0, 1024).toWellFormed() ?? ''
      if (answer.status === 'rejected') failures.push(answer.reason)
      else if (answer.value !== undefined) modified.push({ path, change: answer.value })
    }
  }
  if (failures.length > 0 && modified.length === 0) throw failures[0]
  if (failures.length > 0 || modified.length > maxModified) {
    const reason = 'Not every file could be compared, or too many differ, so the list is not complete.'
    const lost = missing('/files/systemFiles/modified', 'incomplete', reason)
    return { facts: { files: { systemFiles: { baseline, verification: 'modified' } } }, missing: [lost] }
  }
  modified.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  const verification = modified.length === 0 ? 'match' : 'modified'
  return { facts: { files: { systemFiles: { baseline, verification, modified } } } }
}
