import { addCheck } from './check.ts'
import { addCollect } from './collect.ts'
import type { ExitCode } from './exit.ts'
import { runCommands } from './program.ts'
import { processTerminal } from './terminal.ts'

const commands = { check: async () => addCheck, collect: async () => addCollect }

/**
 * The commands that read images, which the build puts into one file: they wait for other programs, so the sooner they start the sooner
 * they end. Resolves with the exit code.
 */
export function main(): Promise<ExitCode> {
  return runCommands(commands, process.argv.slice(2), processTerminal(), {})
}
