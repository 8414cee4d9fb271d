import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const script = fileURLToPath(new URL('./record-child.ts', import.meta.url))

/** How a child of a test is started: with the loader that reads TypeScript, and without what tap adds to watch it. */
export const plainNode = {
  command: [process.execPath, ...process.execArgv.filter((argument) => !/@tapjs.(mock|processinfo)/.test(argument))],
  env: { ...process.env, NODE_OPTIONS: '' },
}

/** A running record-child.ts and what it says. */
export interface Child {
  readonly process: ChildProcess
  /** Every line so far. */
  readonly lines: string[]
  /** The next line that was not yet asked for; undefined at the end. */
  next(): Promise<string | undefined>
  /** Ids that it acknowledged so far. */
  acknowledged(): readonly string[]
  /** Has one verdict recorded and gives the answer. */
  record(): Promise<string | undefined>
  /** Resolves when it has ended and all of its lines were read. */
  ended(): Promise<void>
}

/** Starts record-child.ts, under a command such as strace if one is given, and waits until it is ready. */
export async function startChild(t: Test, mode: string, file: string, under: readonly string[] = []): Promise<Child> {
  const [command = '', ...args] = [...under, ...plainNode.command, script, file, mode]
  const child = spawn(command, args, { env: plainNode.env, stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  const closed = once(reader, 'close')
  reader.on('line', (line) => lines.push(line))
  let asked = 0
  const next = async () => {
    const index = asked++
    while (lines.length <= index) {
      const more = await Promise.race([once(reader, 'line').then(() => true), closed.then(() => false)])
      if (!more) break
    }
    return lines[index]
  }
  t.equal(await next(), 'ready')
  return {
    process: child,
    lines,
    next,
    acknowledged: () => lines.filter((line) => line.startsWith('ack ')).map((line) => line.slice(4)),
    record: () => {
      child.stdin.write('\n')
      return next()
    },
    ended: async () => {
      child.stdin.end()
      await closed
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

/** Why nothing can be traced here; false when it can. */
export function noStrace(): string | false {
  const { error, status } = spawnSync('strace', ['-o', '/dev/null', 'true'])
  if (error) return 'strace is not installed'
  return status === 0 ? false : 'strace may not trace here (ptrace is forbidden)'
}
