import { access, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Command, Option } from 'commander'
import { equivalentsFile, readCaseFiles } from '../authoring/case-files.ts'
import { type DraftFile, draftCases, draftPolicy } from '../authoring/draft.ts'
import { ImagegateError } from '../errors.ts'
import { parseOptions } from '../evaluation/options.ts'
import { withElementAgain } from '../policy/draft.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import { replaceFile } from '../replace-file.ts'
import type { Context } from './context.ts'
import { exitCodes } from './exit.ts'
import { type PolicyFolder, readPolicyFolder } from './policy-folder.ts'
import type { Terminal } from './terminal.ts'
import { helpTail, UsageError } from './usage.ts'

interface NewOptions {
  readonly policies?: string
  readonly major?: true
  readonly minor?: true
  readonly patch?: true
  readonly effectiveFrom?: string
}

const help = helpTail(
  ['imagegate policy new linux', 'imagegate policy new linux --major --effective-from 2027-01-01'],
  [
    '0  the draft and its cases are written',
    '3  could not run: the newest version is not released yet, a file is in the way, or a policy is not valid',
  ],
  [
    'The draft is the newest version with another version and date, comments and all; its cases are written beside those of the',
    'newest version, so that both stay tested. Then edit, run policy lint, policy test and policy diff, and release it.',
    'Stricter needs a major version, looser or new advice a minor one, text a patch; policy diff tells which.',
  ],
)

function newest({ policies, lock }: PolicyFolder, family: string): ReleasedPolicy {
  const last = policies.versions.findLast((policy) => policy.family === family)
  if (last === undefined) {
    const known = [...new Set(policies.versions.map((policy) => policy.family))].join(', ')
    throw new ImagegateError('POLICY_NOT_FOUND', `There is no policy of ${family}. Known: ${known}.`)
  }
  if (lock.policies.some((one) => one.family === family && one.version === last.version)) return last
  throw new ImagegateError(
    'OPTION_INVALID',
    `${family}/${last.version}.yaml is not released yet: edit it, or release it with imagegate policy release.`,
  )
}

/** The instant of --effective-from; a bare date is its midnight. */
function instantOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    return parseOptions({ asOf: text }).asOf?.replace('.000Z', 'Z')
  } catch (error) {
    if (!(error instanceof ImagegateError)) throw error
    throw new UsageError('--effective-from is a date, or an instant in UTC such as 2027-01-01T00:00:00Z.')
  }
}

function bumpOf({ major, minor, patch }: NewOptions): 'major' | 'minor' | 'patch' {
  if ([major, minor, patch].filter((one) => one === true).length > 1) {
    throw new UsageError('Give one of --major, --minor and --patch.')
  }
  return major === true ? 'major' : patch === true ? 'patch' : 'minor'
}

/** Writes all files or, when one of them is there already, none. */
async function writeNew(folder: string, files: readonly DraftFile[]): Promise<void> {
  const there = await Promise.all(
    files.map(({ file }) =>
      access(join(folder, file)).then(
        () => [file],
        () => [],
      ),
    ),
  )
  const problems = there.flat().map((file) => ({ file, message: 'The file is there already.' }))
  if (problems.length > 0) throw new ImagegateError('OPTION_INVALID', 'Nothing was written.', { problems })
  for (const { file, text } of files) await writeFile(join(folder, file), text, { flag: 'wx' })
}

/** What makes no difference in the last version makes none in the next, until somebody edits it; policy mutate tells then. */
async function copyEquivalents(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const changed = withElementAgain(text, 'policies', from, to)
  if (changed !== text) await replaceFile(path, changed)
}

async function begin(family: string, options: NewOptions, terminal: Terminal): Promise<string> {
  const found = await readPolicyFolder(options.policies, terminal)
  const folder = dirname(found.lockPath)
  const last = newest(found, family)
  const request = { last, bump: bumpOf(options), effectiveFrom: instantOf(options.effectiveFrom), now: terminal.now() }
  const { version, effectiveFrom, file } = draftPolicy(request)
  const versions = found.policies.versions.filter((policy) => policy.family === family)
  const files = await readCaseFiles(folder, { versions })
  const texts = files.map(async (one) => ({ ...one, text: await readFile(join(folder, one.file), 'utf8') }))
  const cases = draftCases(await Promise.all(texts), last, version)
  await writeNew(folder, [file, ...cases])
  await copyEquivalents(join(folder, family, 'tests', equivalentsFile), last.version, version)
  const lines = [
    `${family} ${version} begins as ${last.version}, in force from ${effectiveFrom}.`,
    `Edit ${file.file}; ${cases.length} files of cases are in ${family}/tests/*.${version}.yaml.`,
  ]
  return lines.map((line) => `${line}\n`).join('')
}

/** Adds `imagegate policy new`. */
export function addPolicyNew(policy: Command, { terminal, exit }: Context): void {
  policy
    .command('new')
    .description('Begins a version of a policy from the newest, with its cases.')
    .argument('<family>', 'windows-server, linux, nonstandard-linux or unidentified')
    .addOption(new Option('--major', 'something becomes stricter'))
    .addOption(new Option('--minor', 'something becomes looser, or there is new advice (the default)'))
    .addOption(new Option('--patch', 'text alone changes'))
    .option('--effective-from <instant>', 'date or instant in UTC from which it is in force (default: tomorrow)')
    .option('--policies <folder>', 'folder of the policies (default: the configured one)')
    .addHelpText('after', help)
    .action(async (family: string, options: NewOptions) => {
      await terminal.stdout.write(await begin(family, options, terminal))
      exit(exitCodes.ready)
    })
}
