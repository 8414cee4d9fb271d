import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']
const env = {
  PATH: folders.join(':'),
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
  HOME: '/nonexistent',
  DEBIAN_FRONTEND: 'noninteractive',
}

/** How a program is run. */
export interface RunOptions {
  readonly input?: string | Buffer
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Exit codes that are no failure. */
  readonly codes?: readonly number[]
}

/** Runs a program without a shell and gives what it wrote; throws with its standard error when it fails. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Said> {
  const { input, cwd = '/', codes = [0] } = options
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...env, ...options.env }, stdio: ['pipe', 'pipe', 'pipe'] })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (piece: Buffer) => stdout.push(piece))
    child.stderr.on('data', (piece: Buffer) => stderr.push(piece))
    child.stdin.on('error', () => undefined)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const said = { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }
      if (code !== null && codes.includes(code)) return resolve(said)
      const tail = said.stderr.slice(-2000) || said.stdout.toString().slice(-2000)
      reject(new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}: ${tail}`))
    })
    child.stdin.end(input)
  })
}

/** What a program wrote. */
export interface Said {
  readonly stdout: Buffer
  readonly stderr: string
}

function installed(program: string): boolean {
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** False when these programs, and root where it is asked for, are there; else what to say of a test that is skipped. */
export function needs(programs: readonly string[], root = false): string | false {
  const missing = programs.filter((program) => !installed(program))
  const lacks = [...missing, ...(root && process.getuid?.() !== 0 ? ['root'] : [])]
  return lacks.length === 0 ? false : `needs ${lacks.join(', ')}`
}
