import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { ReleasedPolicy } from '../policy/set.ts'
import type { ColourChoice } from './colour.ts'
import type { Context } from './context.ts'
import { safeText } from './escape.ts'
import { type ExitCode, exitCodes, worse } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { markdownBlock, markdownCode, markdownText } from './markdown-text.ts'
import { readPolicyFolder } from './policy-folder.ts'
import { commandStep, diffStep, type GateStep, type RunCommand, sinceBase } from './policy-gate-steps.ts'
import { table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, formatOf, helpTail } from './usage.ts'
import { layoutOf } from './verdict-writer.ts'

interface GateOptions {
  readonly base: string
  readonly policies?: string
  readonly database?: string
  readonly export?: string
  readonly server?: string
  readonly failOnChanged?: string
  readonly format?: 'human' | 'markdown' | 'json'
  readonly color: ColourChoice
}

const help = helpTail(
  [
    'imagegate policy gate --base origin/main',
    'imagegate policy gate --base HEAD',
    'imagegate policy gate --base origin/main --export recorded.ndjson --format markdown > comment.md',
  ],
  [
    '0  everything is fine',
    '1  a step found problems',
    '2  a step is undecided, and none found problems',
    '3  a step could not run',
  ],
  [
    'Runs lint, test with full coverage, and mutate over every policy; compares the lock with that of the base; and tells of',
    'each version that the base has not released what it means beside the version before it, whether its number is raised',
    'enough, and with --database, --export or --server which recorded verdicts it would change.',
  ],
)

const words: Readonly<Record<ExitCode, string>> = { 0: 'ok', 1: 'FAILED', 2: 'UNDECIDED', 3: 'COULD NOT RUN' }

function impactArguments({ version, family }: ReleasedPolicy, options: GateOptions): string[] | undefined {
  const { database, server, failOnChanged = '100%' } = options
  const source = Object.entries({ database, export: options.export, server }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, value],
  )
  if (source.length === 0) return undefined
  return ['impact', `${family}/${version}`, ...source, '--fail-on-changed', failOnChanged]
}

async function* steps(options: GateOptions, run: RunCommand, terminal: Terminal): AsyncGenerator<GateStep> {
  const folder = options.policies === undefined ? terminal.config().policies : resolve(options.policies)
  const own = ['--policies', folder]
  yield commandStep('lint', ['lint', folder, '--fail-on', 'warning'], run, terminal)
  const read = await readPolicyFolder(folder, terminal)
  yield commandStep('test', ['test', '--min-coverage', '100', ...own], run, terminal)
  yield commandStep('mutate', ['mutate', ...own], run, terminal)
  const { candidates, step } = await sinceBase(options.base, folder, read)
  yield step
  for (const candidate of candidates) {
    yield diffStep(candidate, read.policies, folder, terminal)
    const impact = impactArguments(candidate, options)
    if (impact !== undefined) yield commandStep(impact.slice(0, 2).join(' '), [...impact, ...own], run, terminal)
  }
}

/** Notes of lint are for its own report; what fails is told whatever it is. */
function isTold(name: string, code: ExitCode): boolean {
  return code !== exitCodes.ready || name !== 'lint'
}

function markdown(done: readonly GateStep[]): string {
  const rows = done.map(({ name, code, says }) => `| ${markdownCode(name)} | ${words[code]} | ${markdownText(says)} |`)
  const details = done.flatMap(({ name, code, text, markdown: own }) => {
    if (own !== undefined) return ['', own.trimEnd()]
    if (text === '' || !isTold(name, code)) return []
    return ['', `### ${markdownCode(name)}`, '', ...markdownBlock(text.trimEnd(), 'text')]
  })
  return [`## Policies`, '', '| step | result | |', '| --- | --- | --- |', ...rows, ...details, ''].join('\n')
}

function human(done: readonly GateStep[], options: GateOptions, terminal: Terminal): string {
  const { paint } = layoutOf(terminal, options)
  const told = done.filter(({ name, code, text }) => text !== '' && isTold(name, code))
  const details = told.map(({ name, text }) => `${paint('bold', safeText(`== ${name} ==`))}\n${text}\n`).join('')
  const rows = done.map(({ name, code, says }) => [words[code], name, says])
  return `${details}${table(['RESULT', 'STEP', ''], rows, paint)}`
}

async function gate(options: GateOptions, run: RunCommand, terminal: Terminal): Promise<ExitCode> {
  const done: GateStep[] = []
  for await (const step of steps(options, run, terminal)) {
    done.push(step)
    await terminal.stderr.write(`${words[step.code]} ${safeText(step.name)}\n`)
  }
  const code = done.map((step) => step.code).reduce(worse, exitCodes.ready)
  const { stdout } = terminal
  const format = options.format === 'markdown' ? 'markdown' : formatOf(options.format, stdout)
  if (format === 'markdown') await stdout.write(markdown(done))
  else if (format === 'human') await stdout.write(human(done, options, terminal))
  else
    await stdout.write(
      jsonReport(
        { base: options.base, code, steps: done.map(({ name, code, says, text }) => ({ name, code, says, text })) },
        stdout,
      ),
    )
  return code
}

/** Adds `imagegate policy gate`; `run` runs the other policy commands. */
export function addPolicyGate(policy: Command, { terminal, exit }: Context, run: RunCommand): void {
  policy
    .command('gate')
    .summary('run everything that a pull request must pass')
    .description('Lints, tests, mutates and compares policies, and prints one summary.')
    .requiredOption('--base <revision>', 'the git revision that the change goes onto')
    .option('--policies <folder>', 'folder of the policies (default: the configured one)')
    .addOption(
      new Option('--database <file>', 'show the impact on the records of this database').conflicts([
        'export',
        'server',
      ]),
    )
    .addOption(new Option('--export <file>', 'show the impact on these NDJSON lines').conflicts('server'))
    .option('--server <url>', 'show the impact on the records of this server')
    .option('--fail-on-changed <size>', 'fail when more recorded outcomes change: a number, or a share such as 5%')
    .addOption(
      new Option('--format <format>', 'form of the summary (default: human on a terminal, json otherwise)').choices([
        'human',
        'markdown',
        'json',
      ]),
    )
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (options: GateOptions) => exit(await gate(options, run, terminal)))
}
