import { GuestError } from '../guest.ts'
import type { Ended } from './spawn.ts'
import type { ToolName } from './table.ts'

/** What programs say when they reach their limit of memory; an image that makes one say so is too large for it, too. */
const noMemory = /cannot allocate|out of memory|memory (allocation|exhausted)|not enough memory|malloc/i

const signals: Readonly<Record<number, string>> = { 9: 'SIGKILL', 24: 'SIGXCPU', 25: 'SIGXFSZ' }

/** Throws for a program that was ended by a signal, or that its wrapping could not start. */
export function checkEnd(tool: ToolName, { code, signal, stderr }: Ended): void {
  const name = signal ?? (code !== null && code > 128 ? (signals[code - 128] ?? `signal ${code - 128}`) : undefined)
  if (name === 'SIGXCPU') throw new GuestError('timed-out', `${tool} used up its processor time.`)
  if (name === 'SIGXFSZ') throw new GuestError('too-large', `${tool} was to write too large a file.`)
  if (name !== undefined) throw new GuestError('tool-failed', `${tool} was ended by ${name}.`)
  if (code !== 0 && noMemory.test(stderr))
    throw new GuestError('too-large', `${tool} needs more memory than it may have.`)
  if (/^(bwrap|nsenter|prlimit|setpriv): /.test(stderr) && code !== 0)
    throw new GuestError('tool-failed', `${tool} could not be started: ${stderr.split('\n', 1)[0] ?? ''}`)
}
