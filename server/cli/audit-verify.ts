import type { KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { chunksOf, readCheckpoints } from '../audit/checkpoint-files.ts'
import { readManifest } from '../audit/export-manifest.ts'
import { openSnapshot } from '../audit/open.ts'
import { verifyDatabase } from '../audit/verify-database.ts'
import { verifyExport } from '../audit/verify-export.ts'
import { AuditProblems } from '../audit/verify-problems.ts'
import { faultOfProofText } from '../audit/verify-proof.ts'
import type { Verification } from '../documents/verification.ts'
import { ImagegateError } from '../errors.ts'
import { keyName } from '../policy/bundle-key.ts'
import { manifestOf } from './audit-export.ts'
import { countingOn } from './audit-progress.ts'
import { humanVerification } from './audit-verify-text.ts'
import type { Context } from './context.ts'
import { type ExitCode, exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { trustedKeys } from './key-files.ts'
import { existingDatabase } from './records.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, formatOf, formatOption, helpTail, type ShowOptions, UsageError } from './usage.ts'
import { layoutOf } from './verdict-writer.ts'

interface VerifyOptions extends ShowOptions {
  readonly database?: string
  readonly tenant?: string
  readonly publicKey: readonly string[]
  readonly checkpoints?: readonly string[]
  readonly manifest?: string
  readonly proof?: string
  readonly verdict?: string
}

const help = helpTail(
  [
    'imagegate audit verify --public-key checkpoints.pem --checkpoints /mnt/elsewhere/checkpoints',
    'imagegate audit verify --database copy.db --public-key checkpoints.pem --format json | jq .problems[0]',
    'imagegate audit verify record.ndjson --public-key checkpoints.pem --public-key export.pem',
    'imagegate audit verify --proof proof.json --verdict verdict.json --public-key checkpoints.pem',
  ],
  [
    '0  intact: nothing differs, and something signed with a given key vouches for it',
    '1  tampered: something was changed, removed, added or reordered',
    '2  undecided: nothing differs, and nothing that is signed with a given key says that it was ever so',
    '3  could not run',
  ],
  [
    'Needs no server and no network, writes nothing, and works while the service runs.',
    'A database by itself can be cut back to one of its own checkpoints by whoever may write it: give --checkpoints that',
    'were kept where they could not. What came after the last of them is counted as not covered. Of an export as CSV the file',
    'is compared with its signed manifest, by size and digest; its rows are not verified one by one. docs/audit.md tells what',
    'is compared and what is not. The schema of JSON is GET /v1/schemas/verification.',
  ],
)

const results: Readonly<Record<Verification['result'], ExitCode>> = {
  intact: exitCodes.ready,
  tampered: exitCodes.notReady,
  undecided: exitCodes.undetermined,
}

type Found = Pick<Verification, 'source' | 'format' | 'tenants'> & { readonly vouched: boolean }

/** What every verification works with. */
interface Work {
  readonly options: VerifyOptions
  readonly keys: readonly KeyObject[]
  readonly problems: AuditProblems
  readonly terminal: Terminal
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ImagegateError('FILE_UNREADABLE', `${file} cannot be read.`, { cause })
  })
}

function areVouched(tenants: Verification['tenants']): boolean {
  return tenants.length > 0 && tenants.every(({ signed }) => signed !== undefined)
}

async function verifyRecord({ options, keys, problems, terminal }: Work): Promise<Found> {
  const outside = await readCheckpoints(options.checkpoints ?? [], keys, problems)
  const snapshot = await openSnapshot(existingDatabase(options.database, terminal))
  const progress = countingOn(terminal)
  try {
    const { tenant } = options
    const tenants = await verifyDatabase(
      {
        snapshot,
        ...(tenant === undefined ? {} : { tenant }),
        keys,
        outside,
        now: terminal.now().getTime(),
        progress: (of, what) => progress.count(`${what} of ${of} verified`),
      },
      problems,
    )
    return { source: 'database', tenants, vouched: areVouched(tenants) }
  } finally {
    progress.clear()
    await snapshot.close()
  }
}

/** The manifest that was named, or the one that stands beside the export if there is one. */
async function manifestOfExport(file: string, { options, keys, problems }: Work) {
  const beside = options.manifest ?? manifestOf(file)
  if (options.manifest === undefined && !existsSync(beside)) return undefined
  const state = readManifest(await textOf(beside), keys)
  if ('manifest' in state) return state
  problems.add({ kind: 'changed', where: 'manifest', differs: [], message: `${beside}: ${state.fault}` })
  return undefined
}

async function verifyExported(file: string, work: Work): Promise<Found> {
  const { options, keys, problems, terminal } = work
  const outside = await readCheckpoints(options.checkpoints ?? [], keys, problems)
  const state = await manifestOfExport(file, work)
  const progress = countingOn(terminal)
  try {
    const found = await verifyExport(
      {
        chunks: chunksOf(file),
        ...(state === undefined ? {} : { manifest: state.manifest }),
        keys,
        outside,
        now: terminal.now().getTime(),
        progress: () => progress.count('lines verified'),
      },
      problems,
    )
    return { source: 'export', ...found, vouched: state?.signed === true || areVouched(found.tenants) }
  } finally {
    progress.clear()
  }
}

async function verifyProof(file: string, { options, keys, problems }: Work): Promise<Found> {
  const verdict = options.verdict === undefined ? undefined : await textOf(options.verdict)
  const outside = await readCheckpoints(options.checkpoints ?? [], keys, problems)
  const fault = faultOfProofText(await textOf(file), keys, verdict, outside)
  if (fault !== undefined) problems.add({ ...fault, kind: 'changed', where: 'proof', differs: [] })
  return { source: 'proof', tenants: [], vouched: true }
}

function chosen(file: string | undefined, work: Work): Promise<Found> {
  const { database, tenant, manifest, proof, verdict } = work.options
  if (verdict !== undefined && proof === undefined) throw new UsageError('--verdict is for --proof.')
  if (manifest !== undefined && file === undefined) throw new UsageError('--manifest is for an export.')
  if (file === undefined && proof === undefined) return verifyRecord(work)
  if (database !== undefined || tenant !== undefined || (file !== undefined && proof !== undefined)) {
    throw new UsageError('Verify one thing: an export, a --proof, or a --database, of which --tenant is a part.')
  }
  return proof === undefined ? verifyExported(file ?? '', work) : verifyProof(proof, work)
}

async function verify(file: string | undefined, options: VerifyOptions, terminal: Terminal): Promise<ExitCode> {
  const keys = await trustedKeys(options.publicKey)
  const problems = new AuditProblems()
  const { vouched, source, format, tenants } = await chosen(file, { options, keys, problems, terminal })
  const { total } = problems
  const report: Verification = {
    schema: 'imagegate.verification/1',
    source,
    ...(format === undefined ? {} : { format }),
    at: terminal.now().toISOString(),
    result: total > 0 ? 'tampered' : vouched ? 'intact' : 'undecided',
    keys: keys.map(keyName),
    tenants,
    counts: problems.byKind,
    total,
    problems: [...problems.named],
  }
  const { stdout } = terminal
  const human = formatOf(options.format, stdout) === 'human'
  await stdout.write(human ? humanVerification(report, layoutOf(terminal, options)) : jsonReport(report, stdout))
  return results[report.result]
}

function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** Adds `imagegate audit verify`. */
export function addAuditVerify(audit: Command, { terminal, exit }: Context): void {
  audit
    .command('verify')
    .summary('tell whether the audit record is as it was recorded')
    .description('Verifies the audit record with public keys alone, and names the first record that is not as it was.')
    .argument('[export]', 'an exported file, instead of a database')
    .option('--database <url>', 'a file: URL or a path (SQLite), or a postgres: URL (default: the configured one)')
    .option('--tenant <name>', 'one tenant alone (default: all)')
    .addOption(
      new Option(
        '--public-key <file>',
        'Ed25519 public key in PEM that is trusted; again for each, as after a rotation',
      )
        .argParser(collected)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--checkpoints <path>',
        'checkpoints kept outside the database: a file, or a folder of them; again for more',
      ).argParser(collected),
    )
    .option('--manifest <file>', 'manifest of the export (default: EXPORT.manifest.json, if it is there)')
    .option('--proof <file>', "a verdict's inclusion proof, instead of a database")
    .option('--verdict <file>', 'the verdict that the proof must be about, as it was answered')
    .addOption(formatOption())
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (file: string | undefined, options: VerifyOptions) => exit(await verify(file, options, terminal)))
}
