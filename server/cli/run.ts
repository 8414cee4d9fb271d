import { Command, CommanderError } from 'commander'
import { programVersion } from '../version.ts'
import { addCheck } from './check.ts'
import { addCollect } from './collect.ts'
import type { Context, Services } from './context.ts'
import { addDoctor } from './doctor.ts'
import { errorReport } from './error-report.ts'
import { safeLines, safeText } from './escape.ts'
import { addEvaluate } from './evaluate.ts'
import { type ExitCode, exitCodes } from './exit.ts'
import { addPolicy } from './policy.ts'
import { addServe } from './serve.ts'
import type { Terminal } from './terminal.ts'
import { helpTail, UsageError } from './usage.ts'
import { addVerdicts } from './verdicts.ts'

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

function build(context: Context): Command {
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
  addServe(program, context)
  addCheck(program, context)
  addCollect(program, context)
  addEvaluate(program, context)
  addDoctor(program, context)
  addPolicy(program, context)
  addVerdicts(program, context)
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
    await build({ terminal, services, exit }).parseAsync(args, { from: 'user' })
    await terminal.stdout.flush()
  } catch (error) {
    code = explain(error, terminal)
  }
  await terminal.stderr.flush().catch(() => undefined)
  return code
}
