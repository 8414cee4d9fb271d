import { type ChildProcess, spawn } from 'node:child_process'
import { GuestError } from '../guest.ts'
import { stderrBytes } from './limits.ts'

/** The user that programs run as, where it is not our own. */
export interface Identity {
  readonly uid: number
  readonly gid: number
}

/** How one process is started. */
export interface Start {
  /** Absolute path and arguments; no shell. */
  readonly command: readonly string[]
  readonly identity?: Identity | undefined
  /** An open file for standard output, of which nothing is kept then. */
  readonly output?: number | undefined
  /** Keep standard input open, and with info also descriptor 3, on which bwrap tells its first process. */
  readonly input?: 'open' | 'open with info'
}

/** How one process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: Buffer
  readonly stderr: string
}

const environment = { LC_ALL: 'C.UTF-8', PATH: '/usr/sbin:/usr/bin:/sbin:/bin', TZ: 'UTC' }

/** The reason of what is asked when no time is left. */
export function timeOver(): GuestError {
  return new GuestError('timed-out', 'The time for reading the image is over.')
}

/** Ends a process and all that it started in its group. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group has ended by itself.
  }
}

/** Starts a process in a group of its own, with a fixed environment. */
export function startProcess(start: Start): ChildProcess {
  const [file = '', ...args] = start.command
  const input = start.input === undefined ? 'ignore' : 'pipe'
  return spawn(file, args, {
    cwd: '/',
    env: environment,
    detached: true,
    shell: false,
    stdio:
      start.input === 'open with info' ? ['pipe', 'pipe', 'pipe', 'pipe'] : [input, start.output ?? 'pipe', 'pipe'],
    ...start.identity,
  })
}

/**
 * Runs a process to its end. Throws a GuestError when it cannot be started, runs out of time (timed-out) or writes more
 * than maxBytes (too-large); its whole group is killed then.
 */
export function runProcess(start: Start, seconds: number, maxBytes: number, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const name = start.command.at(0) ?? ''
    const limit = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(seconds * 1000))])
    if (limit.aborted) return reject(timeOver())
    const child = startProcess(start)
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    let size = 0
    let errorSize = 0
    let failure: GuestError | undefined
    const fail = (code: string, message: string) => {
      failure ??= new GuestError(code, message)
      killGroup(child)
    }
    const late = () => fail('timed-out', `A program was ended after ${seconds} seconds, or with the time of the image.`)
    limit.addEventListener('abort', late, { once: true })
    child.stdout?.on('data', (piece: Buffer) => {
      size += piece.length
      if (size > maxBytes) fail('too-large', `More than ${maxBytes} bytes were to be read.`)
      else stdout.push(piece)
    })
    child.stderr?.on('data', (piece: Buffer) => {
      if (errorSize < stderrBytes) stderr.push(piece.subarray(0, stderrBytes - errorSize))
      errorSize += piece.length
    })
    child.once('error', (error) => {
      failure ??= new GuestError('tool-failed', `${name} could not be started: ${error.message}`)
      limit.removeEventListener('abort', late)
      reject(failure)
    })
    child.once('close', (code, ended) => {
      limit.removeEventListener('abort', late)
      if (failure) return reject(failure)
      resolve({ code, signal: ended, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() })
    })
  })
}
