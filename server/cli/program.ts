import { Command, CommanderError } from 'commander'
import { programVersion } from '../version.ts'
import type { Context } from './context.ts'
import { errorReport } from './error-report.ts'
import { safeLines, safeText } from './escape.ts'
import { type ExitCode, exitCodes } from './exit.ts'
import type { Terminal } from './terminal.ts'
import { helpTail, UsageError } from './usage.ts'

const help = helpTail(
  ['imagegate check disk.qcow2', 'imagegate serve', 'imagegate verdicts list --outcome not_ready'],
  [
    '0  ready, or clean',
    '1  not ready, or problems found',
    '2  undetermined',
    '3  could not run',
    'imagegate help COMMAND has more.',
  ],
)

/** Every command, in the order in which help lists them. */
const summaries = {
  serve: 'serve the REST API',
  check: 'from a disk image to a verdict',
  collect: 'read the facts of an image',
  evaluate: 'judge documents of facts, offline',
  doctor: 'look for the programs that collecting uses',
  policy: 'lint, compare, test, list, show and release policies',
  verdicts: 'list, show and replay recorded verdicts',
  keys: 'make, list and revoke API keys',
  db: 'migrate, examine, back up and copy the database',
  audit: 'verify and export the audit record',
} as const

type Name = keyof typeof summaries

/** How a command is made, once it is known that it is meant. */
type Load<Given> = () => Promise<(command: Command, context: Context & Given) => void>

/** Commands by name; one that is not there is known by its summary alone. */
export type Commands<Given> = Readonly<Partial<Record<Name, Load<Given>>>>

function isName(name: string): name is Name {
  return Object.hasOwn(summaries, name)
}

/** A command that no argument names is known by its summary alone: loading them all takes longer than most of them run. */
async function build<Given>(
  commands: Commands<Given>,
  args: readonly string[],
  context: Context & Given,
): Promise<Command> {
  const { stdout, stderr } = context.terminal
  const program = new Command('imagegate')
    .description('Decides whether a virtual-machine image will import into the cloud, and explains why not.')
    .version(programVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showHelpAfterError('See --help.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.queue(text),
      writeErr: (text) => stderr.queue(text),
      outputError: (text, write) => write(safeLines(text).replace(/^error: /, 'imagegate: ')),
      getOutHelpWidth: () => stdout.columns,
      getErrHelpWidth: () => stderr.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', help)
  for (const name of Object.keys(summaries).filter(isName)) {
    const command = program.command(name).summary(summaries[name])
    const add = args.includes(name) ? await commands[name]?.() : undefined
    add?.(command, context)
  }
  return program
}

function explain(error: unknown, { stderr }: Terminal): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ready : exitCodes.couldNotRun
  const usage = error instanceof UsageError
  stderr.queue(usage ? `imagegate: ${safeText(error.message)} See --help.\n` : errorReport(error))
  return exitCodes.couldNotRun
}

/**
 * Runs one command line, without the program's own name, by commands that are given what they need besides, and resolves with its
 * exit code. Rejects never.
 */
export async function runCommands<Given>(
  commands: Commands<Given>,
  args: readonly string[],
  terminal: Terminal,
  given: Given,
): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ready
  const exit = (given: ExitCode) => {
    code = given
  }
  try {
    const program = await build(commands, args, { ...given, terminal, exit })
    await program.parseAsync(args, { from: 'user' })
    await terminal.stdout.flush()
  } catch (error) {
    code = explain(error, terminal)
  }
  await terminal.stderr.flush().catch(() => undefined)
  return code
}
