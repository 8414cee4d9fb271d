/** What one run of a program may use. */
export interface Limits {
  /** Wall clock and processor time each. Unit: seconds. */
  readonly seconds: number
  /** What is kept of standard output; more ends the program. Unit: bytes. */
  readonly stdoutBytes: number
  /** The largest file that the program may write. Unit: bytes. */
  readonly fileBytes: number
  /** What the program may have in memory of its own; 128 MiB without a figure. Unit: bytes. */
  readonly memoryBytes?: number
}

/** The limits of a call that names none. */
export const defaultLimits: Limits = { seconds: 60, stdoutBytes: 8_388_608, fileBytes: 1_048_576 }

/** What is kept of standard error. Unit: bytes. */
export const stderrBytes = 1_048_576

const memory = 134_217_728

/**
 * Arguments of prlimit: memory, small stacks, because a thread's counts as memory, no core file, few open files. The address space
 * is limited besides, since the limit of memory leaves out what is mapped from files.
 */
export function limitArguments(limits: Limits): string[] {
  const cpu = Math.max(1, Math.ceil(limits.seconds))
  return [
    '--as=2147483648',
    `--data=${limits.memoryBytes ?? memory}`,
    '--stack=1048576',
    `--cpu=${cpu}`,
    `--fsize=${Number.isFinite(limits.fileBytes) ? limits.fileBytes : 'unlimited'}`,
    '--nofile=256',
    '--core=0',
    '--',
  ]
}
