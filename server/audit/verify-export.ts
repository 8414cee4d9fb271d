import { createHash, type KeyObject } from 'node:crypto'
import { canonicalize, sha256 } from '../digest.ts'
import type { ExportManifest } from '../documents/export.ts'
import type { Verification } from '../documents/verification.ts'
import { splitLines } from '../lines.ts'
import { matches } from '../schemas.ts'
import { type ChainEntry, linkOf } from './chain.ts'
import type { OutsideCheckpoints } from './checkpoint-files.ts'
import { type ExportLine, readExportLine } from './export-line.ts'
import { type ChainSummary, faultOfCheckpoint, secondsSince, walkChain } from './verify-checkpoints.ts'
import type { AuditProblem, AuditProblems } from './verify-problems.ts'

/** One line holds a verdict and its facts, of at most 1 MiB each as they are recorded, and room for escapes. */
const maxLineBytes = 8 * 2 ** 20

/** An export to verify. */
export interface ExportRequest {
  readonly chunks: AsyncIterable<Buffer>
  /** Its manifest, when there is one that is sound. */
  readonly manifest?: ExportManifest
  readonly keys: readonly KeyObject[]
  readonly outside: OutsideCheckpoints
  /** When it is, in milliseconds since 1970. */
  readonly now: number
  progress(): void
}

/** What was found of an export. */
export interface VerifiedExport {
  readonly format: ExportManifest['file']['format']
  /** None of CSV: of its rows nothing is checked by itself. */
  readonly tenants: Verification['tenants']
}

/** How a file of CSV begins; a line of NDJSON begins with a brace. */
const csvStart = Buffer.from('sequence,id,')

interface Counts {
  format: ExportManifest['file']['format']
  lines: number
  sealed: number
  tenant: string | undefined
}

type Fault = Pick<AuditProblem, 'kind' | 'differs' | 'message'>

function changed(differs: readonly string[], message: string): Fault {
  return { kind: 'changed', differs: [...differs], message }
}

/** What is wrong with a line by itself. */
function faultsOf({ entry, verdict, facts }: ExportLine, tenant: string | undefined): Fault[] {
  if (!matches('verdict', verdict)) return [changed(['verdict'], 'It is no verdict.')]
  const faults: Fault[] = []
  if (tenant !== undefined && verdict.tenant !== tenant) {
    faults.push(changed(['verdict'], `It is of the tenant ${verdict.tenant}; the export is of ${tenant}.`))
  }
  if (facts !== undefined && sha256(canonicalize(facts)) !== verdict.documentDigest) {
    faults.push(changed(['facts'], `The facts are not those of the verdict, ${verdict.documentDigest}.`))
  }
  if (entry === undefined) return faults
  const digest = sha256(canonicalize(verdict))
  if (digest !== entry.recordDigest) {
    faults.push(changed(['verdict'], `The verdict has the digest ${digest}; ${entry.recordDigest} was sealed.`))
  }
  const differs = [
    ...(entry.tenant === verdict.tenant ? [] : ['tenant']),
    ...(entry.verdictId === verdict.id ? [] : ['verdictId']),
    ...(linkOf(entry) === entry.link ? [] : ['link']),
  ]
  if (differs.length > 0) faults.push(changed(differs, 'The entry is not that of the verdict, or was changed.'))
  return faults
}

/** Reads the lines, reports what is wrong with each by itself, and gives the entries on. */
async function* checkedEntries(
  { chunks, manifest, progress }: Pick<ExportRequest, 'chunks' | 'manifest' | 'progress'>,
  counts: Counts,
  problems: AuditProblems,
): AsyncGenerator<ChainEntry, void, void> {
  for await (const line of splitLines(chunks, maxLineBytes)) {
    counts.lines += 1
    if (manifest === undefined && counts.lines === 1 && 'bytes' in line) {
      if (csvStart.equals(line.bytes.subarray(0, csvStart.length))) counts.format = 'csv'
    }
    if ('error' in line && line.error.code === 'FILE_UNREADABLE') throw line.error
    if (counts.format === 'csv') continue
    const read = 'bytes' in line ? readExportLine(line.bytes) : undefined
    if (read === undefined) {
      const message = `Line ${line.line} is no line of an export.`
      problems.add({ ...changed([], message), where: 'export' })
      continue
    }
    const { entry, verdict } = read
    const { tenant, id } = verdict
    counts.tenant ??= manifest?.tenant ?? (typeof tenant === 'string' ? tenant : undefined)
    const place = {
      ...(counts.tenant === undefined ? {} : { tenant: counts.tenant }),
      ...(entry === undefined ? {} : { sequence: entry.sequence }),
      ...(typeof id === 'string' ? { verdict: id } : {}),
    }
    for (const { message, ...fault } of faultsOf(read, counts.tenant)) {
      problems.add({ ...fault, where: 'export', ...place, message: `Line ${line.line}: ${message}` })
    }
    if (entry !== undefined) {
      counts.sealed += 1
      yield entry
    }
    progress()
  }
}

/** Takes size and digest of what passes. */
function measured(chunks: AsyncIterable<Buffer>) {
  const hash = createHash('sha256')
  let bytes = 0
  return {
    async *chunks(): AsyncGenerator<Buffer, void, void> {
      for await (const chunk of chunks) {
        hash.update(chunk)
        bytes += chunk.length
        yield chunk
      }
    },
    result: () => ({ bytes, digest: `sha256:${hash.digest('hex')}` }),
  }
}

function compareManifest(
  manifest: ExportManifest,
  counts: Counts,
  measure: { bytes: number; digest: string },
  problems: AuditProblems,
): void {
  const found = { ...measure, verdicts: counts.lines, sealed: counts.sealed }
  const { verdicts, sealed, file } = manifest
  const said = { bytes: file.bytes, digest: file.digest, verdicts, sealed }
  const names = ['bytes', 'digest', ...(counts.format === 'csv' ? [] : (['verdicts', 'sealed'] as const))] as const
  const differs = names.filter((name) => found[name] !== said[name])
  if (differs.length === 0) return
  const told = differs.map((name) => `${name} ${found[name]}, not ${said[name]}`).join('; ')
  problems.add({
    kind: 'changed',
    where: 'export',
    differs: [...differs],
    message: `The file is not that of its manifest: ${told}.`,
  })
}

/** Walks entries of which some are left out, in whatever order: neighbours must follow each other, checkpoints agree. */
async function walkPart(
  entries: AsyncIterable<ChainEntry>,
  outside: OutsideCheckpoints,
  problems: AuditProblems,
): Promise<number> {
  let count = 0
  const known = new Map([...outside.values()].flat().map((one) => [`${one.sequence} ${one.tenant}`, one]))
  let last: ChainEntry | undefined
  for await (const entry of entries) {
    count += 1
    const { tenant, sequence, verdictId: verdict } = entry
    const report = (differs: string, message: string) =>
      problems.add({ kind: 'changed', where: 'export', tenant, sequence, verdict, differs: [differs], message })
    if (last?.sequence === sequence - 1 && last.link !== entry.previousLink) {
      report('previousLink', `It follows ${entry.previousLink}; the entry before ends in ${last.link}.`)
    }
    if (last?.sequence === sequence + 1 && last.previousLink !== entry.link) {
      report('link', `It ends in ${entry.link}; the entry after follows ${last.previousLink}.`)
    }
    const checkpoint = known.get(`${sequence} ${tenant}`)
    if (checkpoint !== undefined && checkpoint.link !== entry.link) {
      report('link', `The outside checkpoint at ${sequence} says ${checkpoint.link}.`)
    }
    last = entry
  }
  return count
}

/** Checkpoints that the export must agree with: those from outside that are not later than it, and its own. */
function checkpointsOf({ manifest, outside, keys }: ExportRequest, problems: AuditProblems) {
  const { tenant = '', head, at = '', checkpoint } = manifest ?? {}
  const fault = checkpoint === undefined ? undefined : faultOfCheckpoint(checkpoint, keys)
  if (fault !== undefined) problems.add({ kind: 'changed', where: 'manifest', differs: ['checkpoint'], message: fault })
  const given = outside.get(tenant) ?? []
  return {
    outside: given.filter((one) => one.sequence <= (head?.sequence ?? 0) || one.at <= at),
    own: checkpoint === undefined || fault !== undefined ? [] : [checkpoint],
  }
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T, void, void> {
  yield* values
}

/** Walks the entries of a whole record. */
async function walkWhole(
  request: ExportRequest,
  manifest: ExportManifest,
  entries: AsyncIterable<ChainEntry>,
  problems: AuditProblems,
): Promise<ChainSummary> {
  const { tenant = '', head } = manifest
  const { outside, own } = checkpointsOf(request, problems)
  const sources = { tenant, entries, stored: each(own), storedInPart: true, outside, keys: request.keys }
  const chain = await walkChain(sources, problems, () => undefined)
  if (chain.head !== head?.link) {
    const message = `The chain ends in ${chain.head}; ${head?.link} was exported.`
    problems.add({ kind: 'changed', where: 'export', tenant, differs: ['head'], message })
  }
  return chain
}

/**
 * Verifies an export: each line by itself and against its entry in the chain, the chain where the whole of it was
 * exported, and the file against its manifest; of CSV the file against its manifest alone. Memory does not grow with its
 * length. Rejects when it cannot be read.
 */
export async function verifyExport(request: ExportRequest, problems: AuditProblems): Promise<VerifiedExport> {
  const { manifest, outside, now } = request
  const counts: Counts = { format: manifest?.file.format ?? 'ndjson', lines: 0, sealed: 0, tenant: manifest?.tenant }
  const measure = measured(request.chunks)
  const entries = checkedEntries({ ...request, chunks: measure.chunks() }, counts, problems)
  const whole = counts.format === 'ndjson' && manifest?.head !== undefined && Object.keys(manifest.query).length === 0
  const chain: ChainSummary = whole
    ? await walkWhole(request, manifest, entries, problems)
    : { entries: await walkPart(entries, outside, problems) }
  if (manifest !== undefined) compareManifest(manifest, counts, measure.result(), problems)
  const { format, tenant, lines, sealed } = counts
  if (format === 'csv' || tenant === undefined) return { format, tenants: [] }
  const { outside: mark } = chain
  const verified = {
    tenant,
    ...chain,
    verdicts: lines,
    unsealed: lines - sealed,
    notCovered: lines - Math.min(mark?.sequence ?? 0, sealed),
    ...(mark === undefined ? {} : { notCoveredSeconds: secondsSince(mark.at, now) }),
    problems: problems.of(tenant),
  }
  return { format, tenants: [verified] }
}
