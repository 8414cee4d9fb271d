import { Command, CommanderError } from 'commander'
import { programVersion } from '../version.ts'
import type { Context, Services } from './context.ts'
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

/** How a command is made, once it is known that it is meant. */
interface Entry {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<(command: Command, context: Context) => void>
}

const entries: readonly Entry[] = [
  { name: 'serve', summary: 'serve the REST API', load: async () => (await import('./serve.ts')).addServe },
  { name: 'check', summary: 'from a disk image to a verdict', load: async () => (await import('./check.ts')).addCheck },
  {
    name: 'collect',
    summary: 'read the facts of an image',
    load: async () => (await import('./collect.ts')).addCollect,
  },
  {
    name: 'evaluate',
    summary: 'judge documents of facts, offline',
    load: async () => (await import('./evaluate.ts')).addEvaluate,
  },
  {
    name: 'doctor',
    summary: 'look for the programs that collecting uses',
    load: async () => (await import('./doctor.ts')).addDoctor,
  },
  {
    name: 'policy',
    summary: 'lint, compare, test, list, show and release policies',
    load: async () => (await import('./policy.ts')).addPolicy,
  },
  {
    name: 'verdicts',
    summary: 'list, show and replay recorded verdicts',
    load: async () => (await import('./verdicts.ts')).addVerdicts,
  },
  {
    name: 'keys',
    summary: 'make, list and revoke API keys',
    load: async () => (await import('./keys.ts')).addKeys,
  },
  {
    name: 'db',
    summary: 'migrate, examine, back up and copy the database',
    load: async () => (await import('./db.ts')).addDb,
  },
  {
    name: 'audit',
    summary: 'verify and export the audit record',
    load: async () => (await import('./audit.ts')).addAudit,
  },
]

/** A command that no argument names is known by its summary alone: loading them all takes longer than most of them run. */
async function build(args: readonly string[], context: Context): Promise<Command> {
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
  for (const { name, summary, load } of entries) {
    const command = program.command(name).summary(summary)
    if (args.includes(name)) (await load())(command, context)
  }
  return program
}

function explain(error: unknown, { stderr }: Terminal): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ready : exitCodes.couldNotRun
  const usage = error instanceof UsageError
  stderr.queue(usage ? `imagegate: ${safeText(error.message)} See --help.\n` : errorReport(error))
  return exitCodes.couldNotRun
}

/** Runs one command line, without the program's own name, and resolves with its exit code. Rejects never. */
export async function run(args: readonly string[], terminal: Terminal, services: Services): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ready
  const exit = (given: ExitCode) => {
    code = given
  }
  try {
    const program = await build(args, { terminal, services, exit })
    await program.parseAsync(args, { from: 'user' })
    await terminal.stdout.flush()
  } catch (error) {
    code = explain(error, terminal)
  }
  await terminal.stderr.flush().catch(() => undefined)
  return code
}
