import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { exportLine } from '../audit/export-line.ts'
import { signManifest } from '../audit/export-manifest.ts'
import { type ExportRecord, endOfChain, exportedRecords } from '../audit/export-source.ts'
import { openSnapshot } from '../audit/open.ts'
import { defaultTenant, type VerdictFilter } from '../audit/store.ts'
import { canonicalize } from '../digest.ts'
import type { ExportManifest } from '../documents/export.ts'
import { ImagegateError } from '../errors.ts'
import { removeFile, replaceFile, replaceFileBy } from '../replace-file.ts'
import { csvHeading, csvRow } from './audit-export-csv.ts'
import { countingOn } from './audit-progress.ts'
import { interruptible } from './collect-interrupt.ts'
import type { Context } from './context.ts'
import { exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { signingKey } from './key-files.ts'
import { addRecordsOptions, existingDatabase, type RecordsOptions } from './records.ts'
import { serverPlace } from './server-place.ts'
import { byteText } from './sizes.ts'
import type { Terminal } from './terminal.ts'
import { type Format, formatOf, helpTail, UsageError } from './usage.ts'
import { addFilterOptions, filterOf } from './verdict-filters.ts'

interface ExportOptions extends VerdictFilter, RecordsOptions {
  readonly output: string
  readonly format: 'ndjson' | 'csv'
  readonly facts?: true
  readonly signingKey?: string
  readonly report?: Format
}

/** Where records come from, and what is known of the whole. */
interface Source {
  readonly tenant?: string
  readonly records: AsyncIterable<ExportRecord>
  readonly end: Pick<ExportManifest, 'head' | 'checkpoint'>
}

const help = helpTail(
  [
    'imagegate audit export --output record.ndjson --facts --signing-key key.pem',
    'imagegate audit export --output failed.csv --format csv --outcome not_ready --from 2026-11-01',
    'imagegate audit verify record.ndjson --public-key public.pem --checkpoints /mnt/elsewhere/checkpoints',
    'imagegate policy impact linux/1.1.0 --export record.ndjson',
  ],
  ['0  written', '3  could not run: nothing was written'],
  [
    'A line of NDJSON is {"entry": its entry in the hash chain, "facts": with --facts, "verdict": as it was answered}. CSV has the',
    'columns of `verdicts list`; what a spreadsheet would take for a formula is led by an apostrophe. Without filters the whole record',
    'comes in the order of the chain, else newest first. Beside the file stands FILE.manifest.json with query, counts, digest and',
    'the end of the chain, signed with --signing-key. Until the new file is whole both stay as they were; then the old manifest',
    'goes, the file is replaced in one step, and the new manifest comes.',
  ],
)

async function withSource<T>(
  options: ExportOptions,
  filter: VerdictFilter,
  terminal: Terminal,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  const facts = options.facts === true
  const server = serverPlace(options, terminal)
  if (server !== undefined) {
    if (options.tenant !== undefined)
      throw new UsageError('--tenant is for a database: a server answers for its own tenant.')
    const { serverExport } = await import('./audit-export-server.ts')
    return use(serverExport(server, filter, facts))
  }
  const place = existingDatabase(options.database, terminal)
  const tenant = options.tenant ?? defaultTenant
  const snapshot = await openSnapshot(place)
  try {
    const end = await endOfChain(snapshot, tenant)
    return await use({ tenant, records: exportedRecords(snapshot, { tenant, filter, facts }), end })
  } finally {
    await snapshot.close()
  }
}

async function write(source: Source, options: ExportOptions, terminal: Terminal, stop: AbortSignal) {
  const { output, format } = options
  const progress = countingOn(terminal)
  const counts = { verdicts: 0, sealed: 0 }
  try {
    const file = await replaceFileBy(
      output,
      async (append) => {
        if (format === 'csv') await append(csvHeading)
        for await (const record of source.records) {
          if (stop.aborted) throw new ImagegateError('INTERRUPTED', 'The export was stopped; the file is as it was.')
          await append(format === 'csv' ? csvRow(record) : exportLine(record))
          counts.verdicts += 1
          if (record.entry !== undefined) counts.sealed += 1
          progress.count('verdicts exported')
        }
      },
      0o600,
      // A manifest beside a file that is not its own would accuse the file. Without one nothing is said of it.
      () => removeFile(manifestOf(output)),
    )
    return { file, counts }
  } finally {
    progress.clear()
  }
}

async function exportTo(options: ExportOptions, terminal: Terminal): Promise<ExportManifest> {
  const { output, format, facts = false } = options
  if (format === 'csv' && facts) throw new UsageError('--facts is for NDJSON: a row has no place for a document.')
  // A key that cannot be used is told before anything is read.
  const key = options.signingKey === undefined ? undefined : await signingKey(options.signingKey)
  const filter = filterOf(options)
  const at = terminal.now().toISOString()
  return withSource(options, filter, terminal, async (source) => {
    const { file, counts } = await interruptible((stop) => write(source, options, terminal, stop))
    const manifest: ExportManifest = {
      schema: 'imagegate.export/1',
      ...(source.tenant === undefined ? {} : { tenant: source.tenant }),
      at,
      query: { ...filter },
      facts,
      ...counts,
      file: { name: basename(output), format, ...file },
      ...source.end,
    }
    const signed = key === undefined ? manifest : signManifest(manifest, key)
    await replaceFile(manifestOf(output), `${canonicalize(signed)}\n`, 0o600)
    return signed
  })
}

/** Where the manifest of an exported file stands. */
export function manifestOf(file: string): string {
  return `${file}.manifest.json`
}

function humanText({ verdicts, sealed, file, key }: ExportManifest, output: string): string {
  const lines = [
    `${verdicts} verdicts, ${sealed} of them with their entry in the chain: ${output}, ${byteText(file.bytes)}`,
    `  digest    ${file.digest}`,
    `  manifest  ${manifestOf(output)}, ${key === undefined ? 'not signed' : `signed with ${key}`}`,
  ]
  return `${lines.join('\n')}\n`
}

/** Adds `imagegate audit export`. */
export function addAuditExport(audit: Command, { terminal, exit }: Context): void {
  const command = audit
    .command('export')
    .summary('write recorded verdicts to a file, with a signed manifest')
    .description(
      'Writes the recorded verdicts that match, with their entries in the hash chain, and a manifest beside them.',
    )
    .requiredOption('--output <file>', 'the file; its manifest is FILE.manifest.json')
  addRecordsOptions(addFilterOptions(command))
    .option('--tenant <name>', 'whose record, of a database (default: default)')
    .addOption(new Option('--format <format>', 'form of the file').choices(['ndjson', 'csv']).default('ndjson'))
    .option('--facts', 'with the fact documents, as far as they are kept')
    .option('--signing-key <file>', 'Ed25519 private key in PEM that signs the manifest')
    .addOption(
      new Option('--report <format>', 'form of what is told (default: human on a terminal, json otherwise)').choices([
        'human',
        'json',
      ]),
    )
    .addHelpText('after', help)
    .action(async (options: ExportOptions) => {
      const manifest = await exportTo(options, terminal)
      const human = formatOf(options.report, terminal.stdout) === 'human'
      await terminal.stdout.write(human ? humanText(manifest, options.output) : jsonReport(manifest, terminal.stdout))
      exit(exitCodes.ready)
    })
}
