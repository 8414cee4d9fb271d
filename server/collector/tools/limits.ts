/** What one run of a program may use. */
export interface Limits {
  /** Wall clock and processor time each. Unit: seconds. */
  readonly seconds: number
  /** What is kept of standard output; more ends the program. Unit: bytes. */
  readonly stdoutBytes: number
  /** The largest file that the program may write. Unit: bytes. */
  readonly fileBytes: number
}

/** The limits of a call that names none. */
export const defaultLimits: Limits = { seconds: 60, stdoutBytes: 8_388_608, fileBytes: 1_048_576 }

/** What is kept of standard error. Unit: bytes. */
export const stderrBytes = 1_048_576

/** Arguments of prlimit: 2 GiB of address space, no core file, few open files. */
export function limitArguments(limits: Limits): string[] {
  const cpu = Math.max(1, Math.ceil(limits.seconds))
  return [
    '--as=2147483648',
    `--cpu=${cpu}`,
    `--fsize=${Number.isFinite(limits.fileBytes) ? limits.fileBytes : 'unlimited'}`,
    '--nofile=256',
    '--core=0',
    '--',
  ]
}
