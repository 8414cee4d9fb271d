import type { ServiceContext, Services } from './context.ts'
import type { ExitCode } from './exit.ts'
import { type Commands, runCommands } from './program.ts'
import type { Terminal } from './terminal.ts'

const commands: Commands<Pick<ServiceContext, 'services'>> = {
  serve: async () => (await import('./serve.ts')).addServe,
  check: async () => (await import('./check.ts')).addCheck,
  collect: async () => (await import('./collect.ts')).addCollect,
  evaluate: async () => (await import('./evaluate.ts')).addEvaluate,
  doctor: async () => (await import('./doctor.ts')).addDoctor,
  policy: async () => (await import('./policy.ts')).addPolicy,
  verdicts: async () => (await import('./verdicts.ts')).addVerdicts,
  keys: async () => (await import('./keys.ts')).addKeys,
  db: async () => (await import('./db.ts')).addDb,
  audit: async () => (await import('./audit.ts')).addAudit,
}

/** Runs one command line, without the program's own name, and resolves with its exit code. Rejects never. */
export function run(args: readonly string[], terminal: Terminal, services: Services): Promise<ExitCode> {
  return runCommands(commands, args, terminal, { services })
}
