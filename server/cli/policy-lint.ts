import { type Command, Option } from 'commander'
import { type Linted, lintPaths } from '../authoring/lint.ts'
import type { ColourChoice } from './colour.ts'
import type { Context } from './context.ts'
import { type ExitCode, exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { lintGithub } from './lint-github.ts'
import { countsOf, lintHuman } from './lint-human.ts'
import { lintSarif } from './lint-sarif.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, helpTail, UsageError } from './usage.ts'
import { layoutOf } from './verdict-writer.ts'

const formats = ['human', 'json', 'sarif', 'github'] as const

interface LintOptions {
  readonly format?: (typeof formats)[number]
  readonly failOn: 'error' | 'warning'
  readonly color: ColourChoice
}

const help = helpTail(
  [
    'imagegate policy lint',
    'imagegate policy lint policies/linux/1.1.0.yaml',
    'imagegate policy lint --format github --fail-on warning policies',
    'imagegate policy lint --format sarif policies > lint.sarif',
  ],
  [
    '0  clean; notes, and warnings without --fail-on warning, are allowed',
    '1  problems found',
    '3  could not run: a file or folder cannot be read, or holds no policies',
  ],
  [
    'A file is linted with the folder that it belongs to: its lock, its requirements and the other versions. Only',
    'problems of what was asked for are told. JSON is {"files", "counts", "problems": [{"file", "line", "column",',
    '"code", "severity", "message", "mend"}]}. docs/lint.md lists every code.',
  ],
)

function reportOf(linted: Linted, { format, color }: LintOptions, terminal: Terminal): string {
  const { stdout } = terminal
  const chosen = format ?? (stdout.isTerminal ? 'human' : 'json')
  if (chosen === 'sarif') return lintSarif(linted)
  if (chosen === 'github') return lintGithub(linted)
  if (chosen === 'human') return lintHuman(linted, layoutOf(terminal, { color }))
  const { files, problems } = linted
  return jsonReport({ files: files.length, counts: countsOf(problems), problems }, stdout)
}

async function lint(given: readonly string[], options: LintOptions, terminal: Terminal): Promise<ExitCode> {
  const paths = given.length > 0 ? given : [terminal.config().policies]
  const linted = await lintPaths(paths, process.cwd())
  if (linted.files.length === 0) throw new UsageError(`There is nothing to lint at ${paths.join(', ')}.`)
  await terminal.stdout.write(reportOf(linted, options, terminal))
  const { error, warning } = countsOf(linted.problems)
  return error > 0 || (warning > 0 && options.failOn === 'warning') ? exitCodes.notReady : exitCodes.ready
}

/** Adds `imagegate policy lint`. */
export function addPolicyLint(policy: Command, { terminal, exit }: Context): void {
  policy
    .command('lint')
    .description(
      'Finds every problem of policies, their cases, their requirements and their lock, and says how to mend it.',
    )
    .argument('[path...]', 'files or folders of policies (default: the configured folder)')
    .addOption(
      new Option('--format <format>', 'form of the report (default: human on a terminal, json otherwise)').choices([
        ...formats,
      ]),
    )
    .addOption(
      new Option('--fail-on <severity>', 'exit with 1 from this severity on')
        .choices(['error', 'warning'])
        .default('error'),
    )
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (paths: string[], options: LintOptions) => exit(await lint(paths, options, terminal)))
}
