import { availableParallelism } from 'node:os'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Impact, policyImpact } from '../authoring/impact.ts'
import type { Sample } from '../authoring/impact-sample.ts'
import type { PolicyImpact } from '../documents/policy-impact.ts'
import { ImagegateError } from '../errors.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import { inForce } from '../policy/set.ts'
import { matches } from '../schemas.ts'
import { progressOn } from './collect-progress.ts'
import type { Context } from './context.ts'
import { safeJson } from './escape.ts'
import { type ExitCode, exitCodes } from './exit.ts'
import { readPolicyFolder } from './policy-folder.ts'
import { type SourceOptions, withSource } from './policy-impact-sources.ts'
import { humanImpact, listed, markdownImpact } from './policy-impact-text.ts'
import { readRevision, revisionNotes } from './policy-revision.ts'
import { addRecordsOptions } from './records.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, formatOf, helpTail, type ShowOptions, UsageError } from './usage.ts'
import { layoutOf } from './verdict-writer.ts'

interface ImpactOptions extends SourceOptions, Pick<ShowOptions, 'color'> {
  readonly format?: 'human' | 'markdown' | 'json'
  readonly sample?: Sample
  readonly seed: number
  readonly baseline?: string
  readonly policies?: string
  readonly failOnChanged: string
  readonly workers: number
  readonly resume?: string
}

const help = helpTail(
  [
    'imagegate policy impact linux/1.1.0',
    'imagegate policy impact drafts/linux.yaml --from 2026-11-01 --fail-on-changed 1%',
    'imagegate policy impact linux/1.1.0 --server http://127.0.0.1:8080 --sample 10% --format markdown',
    'imagegate policy impact HEAD:policies/linux/1.1.0.yaml --resume impact.state --format json > impact.json',
    'imagegate policy impact linux/1.1.0 --export - < fleet.ndjson',
  ],
  [
    '0  no more outcomes change than --fail-on-changed allows',
    '1  more change',
    '2  there are records, and none of them could be replayed',
    '3  could not run: the candidate is not valid, or a file, the database or the server cannot be read',
  ],
  [
    'What was recorded is what changes: then is the recorded outcome, now is what the candidate says of the same facts and options.',
    'Nothing is written to the database. Records that were added since the run began are left out.',
    ...revisionNotes,
    'An export has one JSON object a line: {"verdict": …, "facts": …} with a verdict as recorded and the facts that it was judged from,',
    'or a fact document alone, which --baseline judges first, without options.',
    'A sample is the same for the same --seed and the same records. --resume keeps how far the run has come in FILE and FILE.changed,',
    'and removes both when it is done; after a kill the same command goes on and ends with the same result.',
    'The schema of JSON is GET /v1/schemas/policy-impact.',
  ],
)

const percent = /^(\d{1,3}(?:\.\d{1,6})?)%$/

function shareOf(text: string): number | undefined {
  const [, digits] = percent.exec(text) ?? []
  const share = digits === undefined ? Number.NaN : Number(digits) / 100
  return share <= 1 ? share : undefined
}

function sample(text: string): Sample {
  const share = shareOf(text)
  if (share !== undefined && share > 0) return { share }
  if (/^[1-9]\d{0,6}$/.test(text)) return { count: Number(text) }
  throw new InvalidArgumentError('It is a number from 1 to 9999999, or a share such as 10%.')
}

function threshold(text: string): string {
  if (/^\d{1,12}$/.test(text) || shareOf(text) !== undefined) return text
  throw new InvalidArgumentError('It is a whole number, or a share such as 5%.')
}

function whole(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
    if (number >= minimum && number <= maximum) return number
    throw new InvalidArgumentError(`It is a whole number from ${minimum} to ${maximum}.`)
  }
}

/** What judged before, for documents that do not say: as named, else the version in force that is not the candidate. */
async function baselineOf(candidate: ReleasedPolicy, options: ImpactOptions, terminal: Terminal) {
  const { baseline: named, policies } = options
  const given = policies === undefined ? {} : { policies }
  if (named === undefined) {
    const { versions } = (await readPolicyFolder(policies, terminal)).policies
    const others = versions.filter(
      ({ version, digest }) => version !== candidate.version && digest !== candidate.digest,
    )
    return inForce({ versions: others }, candidate.family, terminal.now())
  }
  const baseline = await readRevision(named, given, terminal)
  if (baseline.family === candidate.family) return baseline
  throw new UsageError(`The baseline is of ${baseline.family}, the candidate of ${candidate.family}.`)
}

function measure(candidate: ReleasedPolicy, options: ImpactOptions, terminal: Terminal): Promise<Impact> {
  const { sample: asked, seed, failOnChanged: allowed, workers, resume } = options
  if (options.export === '-' && asked !== undefined && 'count' in asked) {
    throw new UsageError('Standard input is read once: sample a share of it, such as 10%, or name a file.')
  }
  const progress = progressOn(terminal.stderr)
  const started = performance.now()
  let shown = started
  return withSource(options, candidate.family, terminal, async ({ kind, ...opened }) => {
    const baseline = kind === 'export' ? await baselineOf(candidate, options, terminal) : undefined
    try {
      return await policyImpact({
        candidate,
        ...(baseline && { baseline }),
        kind,
        ...opened,
        ...(asked && { sample: asked }),
        seed,
        allowed,
        workers,
        ...(resume === undefined ? {} : { resume }),
        progress(counts) {
          const now = performance.now()
          if (now - shown < 100) return
          shown = now
          progress.show(`${counts.found} records found, ${counts.replayed} replayed, ${counts.changed} changed`)
        },
      })
    } finally {
      progress.clear()
    }
  })
}

/** The report with the first of its changed verdicts, as people are shown it. */
async function shownOf({ report, changed }: Impact): Promise<PolicyImpact> {
  const first: unknown[] = []
  for await (const text of changed()) {
    first.push(JSON.parse(text))
    if (first.length === listed) break
  }
  const shown: unknown = { ...report, changed: first }
  if (matches('policy-impact', shown)) return shown
  throw new ImagegateError('INTERNAL', 'The list of changed verdicts is damaged.')
}

/** Writes the list as it is read, because it may be longer than memory. */
async function writeJson({ report, changed }: Impact, { stdout }: Terminal): Promise<void> {
  const text = JSON.stringify(report, undefined, stdout.isTerminal ? 2 : undefined)
  const at = text.lastIndexOf(']')
  const [before, between] = stdout.isTerminal ? ['\n    ', ',\n    '] : ['', ',']
  await stdout.write(safeJson(text.slice(0, at)))
  let separator = before
  for await (const one of changed()) {
    await stdout.write(`${separator}${safeJson(one)}`)
    separator = between
  }
  await stdout.write(`${safeJson(text.slice(at))}\n`)
}

async function write(impact: Impact, options: ImpactOptions, terminal: Terminal): Promise<void> {
  const { stdout } = terminal
  const format = options.format === 'markdown' ? 'markdown' : formatOf(options.format, stdout)
  if (format === 'json') return writeJson(impact, terminal)
  const shown = await shownOf(impact)
  await stdout.write(format === 'markdown' ? markdownImpact(shown) : humanImpact(shown, layoutOf(terminal, options)))
}

function exitOf({ counts, threshold: { exceeded } }: PolicyImpact): ExitCode {
  if (exceeded) return exitCodes.notReady
  return counts.replayed === 0 && counts.notReplayed > 0 ? exitCodes.undetermined : exitCodes.ready
}

async function impactOf(name: string, options: ImpactOptions, terminal: Terminal): Promise<ExitCode> {
  const { policies } = options
  const candidate = await readRevision(name, policies === undefined ? {} : { policies }, terminal)
  const impact = await measure(candidate, options, terminal)
  try {
    await write(impact, options, terminal)
  } catch (error) {
    await impact.close(true)
    throw error
  }
  await impact.close(false)
  return exitOf(impact.report)
}

function addOptions(command: Command): Command {
  const everyRecord = 'recorded at or after: RFC 3339 in UTC, or a date'
  return addRecordsOptions(command)
    .addOption(
      new Option('--export <file>', 'NDJSON lines instead; - is standard input').conflicts(['database', 'server']),
    )
    .option('--from <time>', everyRecord)
    .option('--to <time>', 'recorded before: RFC 3339 in UTC, or a date')
    .option('--tenant <name>', "only this tenant's records (a database: default)")
    .addOption(new Option('--sample <size>', 'a number of records, or a share such as 10%').argParser(sample))
    .addOption(new Option('--seed <number>', 'draws another sample').argParser(whole(0, 2 ** 32 - 1)).default(1))
    .option('--baseline <revision>', 'judges fact documents without a verdict (default: the version in force)')
    .option('--policies <folder>', 'folder of the policies (default: the configured one)')
    .addOption(
      new Option('--fail-on-changed <size>', 'exit with 1 when more outcomes change: a number, or a share such as 5%')
        .argParser(threshold)
        .default('0'),
    )
    .option('--resume <file>', 'keep how far the run has come, and go on from there')
    .addOption(
      new Option('--workers <number>', 'threads that evaluate; 1 is the one that reads')
        .argParser(whole(1, 64))
        .default(availableParallelism(), 'one for each processor'),
    )
    .addOption(
      new Option('--format <format>', 'form of the output (default: human on a terminal, json otherwise)').choices([
        'human',
        'markdown',
        'json',
      ]),
    )
    .addOption(colourOption())
}

/** Adds `imagegate policy impact`. */
export function addPolicyImpact(policy: Command, { terminal, exit }: Context): void {
  const command = policy
    .command('impact')
    .summary('show which recorded verdicts a candidate would change')
    .description(
      'Evaluates recorded facts under a candidate policy and shows which outcomes change, and by which rules.',
    )
    .argument('<candidate>', 'a policy revision')
  addOptions(command)
    .addHelpText('after', help)
    .action(async (name: string, options: ImpactOptions) => exit(await impactOf(name, options, terminal)))
}
