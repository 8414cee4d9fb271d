import { spawn } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { memoryOf } from '../../../bench/memory.mjs'
import { build, type Ran, top } from '../../cli/support.ts'

/** The built program in a folder that any user can read. */
export function program(folder: string): string {
  const app = join(folder, 'app')
  mkdirSync(app)
  const main = build(app)
  cpSync(join(top, 'policies'), join(app, 'policies'), { recursive: true })
  symlinkSync(join(top, 'node_modules'), join(app, 'node_modules'))
  return main
}

/** A folder for the temporary files of one run, of the user who runs it; all may enter it, as with the system's own. */
export function scratch(folder: string, name: string, uid = process.getuid?.() ?? 0, mode = 0o755): string {
  const path = join(folder, name)
  mkdirSync(path)
  chmodSync(path, mode)
  if (uid !== process.getuid?.()) chownSync(path, uid, uid)
  return path
}

/** Files below a folder that hold a text; what vanishes meanwhile holds nothing. */
function holding(folder: string, text: string): string[] {
  const entries = (() => {
    try {
      return readdirSync(folder, { withFileTypes: true })
    } catch {
      return []
    }
  })()
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return holding(path, text)
    if (!entry.isFile()) return []
    try {
      return readFileSync(path).includes(text) ? [path] : []
    } catch {
      return []
    }
  })
}

/** How the program is run as a process of its own. */
export interface ProcessOptions {
  /** Where it has its temporary files. */
  readonly temporary: string
  /** Another user, by number. */
  readonly uid?: number
  /** A text that must not stand in any temporary file while it runs. */
  readonly watchFor?: string
  /** Whether to watch its memory. */
  readonly weigh?: true
}

/** What a process left behind. */
export interface ProcessRan extends Ran {
  /** Temporary files in which the text was seen. */
  readonly seen: readonly string[]
  /** Unit: milliseconds. */
  readonly milliseconds: number
  /** The most that it and all programs below it had in memory at once, as far as it was sampled. Unit: MiB. */
  readonly peak: number
}

/** Runs the built program as a process of its own, with nothing in its environment but what it needs. */
export async function runProgram(main: string, args: readonly string[], options: ProcessOptions): Promise<ProcessRan> {
  const { temporary, uid, watchFor, weigh } = options
  const env = { PATH: '/usr/bin:/bin', HOME: temporary, TMPDIR: temporary, LC_ALL: 'C.UTF-8' }
  const user = uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--']
  const [file = '', ...rest] = [...user, process.execPath, main, ...args]
  const started = Date.now()
  const child = spawn(file, rest, { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  let running = true
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? -1))
  }).finally(() => {
    running = false
  })
  const seen = new Set<string>()
  let peak = 0
  while (running && (watchFor !== undefined || weigh)) {
    if (watchFor !== undefined) for (const path of holding(temporary, watchFor)) seen.add(path)
    if (weigh && child.pid !== undefined) peak = Math.max(peak, memoryOf(child.pid))
    await Promise.race([ended, wait(10)])
  }
  const code = await ended
  return { code, stdout, stderr, seen: [...seen], milliseconds: Date.now() - started, peak: peak / 1024 }
}
