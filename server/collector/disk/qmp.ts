import type { ChildProcess } from 'node:child_process'
import { GuestError } from '../guest.ts'

/** One command of QEMU's monitor protocol. */
export interface QmpCommand {
  readonly execute: string
  readonly arguments?: Readonly<Record<string, unknown>>
}

/** Sends commands, one answer after the other. Throws a GuestError (tool-failed) with QEMU's words. */
export type Qmp = (command: QmpCommand) => Promise<void>

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: GuestError) => void
}

const longestLine = 1_048_576

function answer(line: string): 'none' | 'done' | { readonly problem: string } {
  const value: unknown = JSON.parse(line)
  if (typeof value !== 'object' || value === null) return 'none'
  if ('return' in value) return 'done'
  if (!('error' in value)) return 'none'
  const { error } = value
  const text = typeof error === 'object' && error !== null && 'desc' in error ? String(error.desc) : 'no reason given'
  return { problem: text }
}

/** Speaks with a daemon whose monitor is its standard input and output. */
export function qmpOver(child: ChildProcess): Qmp {
  const waiting: Waiting[] = []
  let rest = ''
  let over: GuestError | undefined
  const end = (message: string) => {
    over ??= new GuestError('tool-failed', message)
    for (const one of waiting.splice(0)) one.reject(over)
  }
  let errors = ''
  child.stderr?.on('data', (piece: Buffer) => {
    errors = (errors + piece.toString()).slice(0, 1000)
  })
  child.stdout?.on('data', (piece: Buffer) => {
    rest += piece.toString()
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > longestLine) end('qemu-storage-daemon answers without end.')
    for (const line of lines) {
      try {
        const found = answer(line)
        if (found === 'done') waiting.shift()?.resolve()
        else if (found !== 'none') waiting.shift()?.reject(new GuestError('tool-failed', found.problem))
      } catch {
        end('qemu-storage-daemon does not answer in JSON.')
      }
    }
  })
  child.stdin?.on('error', () => end('qemu-storage-daemon has ended.'))
  child.once('error', (error) => end(`qemu-storage-daemon could not be started: ${error.message}`))
  child.once('exit', () => end(`qemu-storage-daemon has ended: ${errors.split('\n', 1)[0] ?? ''}`))
  return (command) =>
    new Promise((resolve, reject) => {
      if (over) return reject(over)
      waiting.push({ resolve, reject })
      child.stdin?.write(`${JSON.stringify(command)}\n`)
    })
}
