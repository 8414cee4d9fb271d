import type { Verdict } from '../documents/verdict.ts'

/** Exit codes of every command. */
export const exitCodes = { ready: 0, notReady: 1, undetermined: 2, couldNotRun: 3 } as const

/** An exit code. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** From which outcome on an evaluation exits with 1. */
export const failLevels = ['not-ready', 'warn'] as const

/** The value of --fail-on. */
export type FailLevel = (typeof failLevels)[number]

const severity: readonly ExitCode[] = [
  exitCodes.ready,
  exitCodes.undetermined,
  exitCodes.notReady,
  exitCodes.couldNotRun,
]

/** The worse of two exit codes: 3 (could not run), then 1 (not ready), then 2 (undetermined), then 0. */
export function worse(left: ExitCode, right: ExitCode): ExitCode {
  return severity.indexOf(left) >= severity.indexOf(right) ? left : right
}

/** The exit code of one verdict. */
export function exitCodeOf(outcome: Verdict['outcome'], failOn: FailLevel): ExitCode {
  if (outcome === 'not_ready') return exitCodes.notReady
  if (outcome === 'undetermined') return exitCodes.undetermined
  return outcome === 'ready_with_warnings' && failOn === 'warn' ? exitCodes.notReady : exitCodes.ready
}
