import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Service, Services } from '../../server/cli/context.ts'
import { Output } from '../../server/cli/output.ts'
import { run } from '../../server/cli/run.ts'
import type { Terminal } from '../../server/cli/terminal.ts'
import { readConfig } from '../../server/config.ts'
import { loadPolicies } from '../../server/policy/load.ts'
import { hear } from '../support/leaks.ts'

/** The repository. */
export const top = fileURLToPath(new URL('../../', import.meta.url))

/** Path of an example document. */
export function example(name: string): string {
  return join(top, 'examples', name)
}

/** An example document with changes, as text. */
export function changed(name: string, change: (document: Record<string, Record<string, unknown>>) => void): string {
  const document = JSON.parse(readFileSync(example(name), 'utf8'))
  change(document)
  return JSON.stringify(document)
}

/** What a command left behind. */
export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The circumstances of a command. */
export interface Circumstances {
  readonly stdin?: string | Buffer
  /** Nobody pipes anything in. */
  readonly interactive?: boolean
  /** Standard output is a terminal of so many columns. */
  readonly columns?: number
  readonly noColour?: boolean
  readonly environment?: Readonly<Record<string, string>>
  readonly services?: Services
}

class Screen extends PassThrough {
  readonly isTTY: boolean
  readonly columns: number | undefined
  text = ''

  constructor(columns: number | undefined) {
    super()
    this.isTTY = columns !== undefined
    this.columns = columns
    this.on('data', (chunk) => {
      this.text += String(chunk)
    })
  }
}

const noServices: Services = { start: () => Promise.reject<Service>(new Error('No service is expected here.')) }

/** Runs a command line in this process. */
export async function imagegate(args: readonly string[], given: Circumstances = {}): Promise<Ran> {
  const stdout = new Screen(given.columns)
  const stderr = new Screen(undefined)
  const stdin = Object.assign(Readable.from(given.stdin === undefined ? [] : [Buffer.from(given.stdin)]), {
    isTTY: given.interactive === true,
  })
  const terminal: Terminal = {
    stdin,
    stdout: new Output(stdout),
    stderr: new Output(stderr),
    colourUnwanted: given.noColour === true,
    now: () => new Date('2026-11-20T09:30:00Z'),
    config: () => readConfig({ ...given.environment }),
  }
  const code = await run(args, terminal, given.services ?? noServices)
  hear(stderr.text)
  return { code, stdout: stdout.text, stderr: stderr.text }
}

/** A copy of the shipped policies in a folder, each of them released. */
export async function releasedPolicies(folder: string): Promise<string> {
  cpSync(join(top, 'policies'), folder, { recursive: true })
  const { versions } = await loadPolicies(folder, { released: false })
  for (const { family, version } of versions) {
    const ran = await imagegate(['policy', 'release', family, version, '--policies', folder])
    if (ran.code !== 0) throw new Error(ran.stderr)
  }
  return folder
}

/** Builds the program into a folder beside what it reads, as the repository has it. Gives the path of its main file. */
export function build(folder: string): string {
  const tsc = join(top, 'node_modules', 'typescript', 'bin', 'tsc')
  execFileSync(process.execPath, [tsc, '--noCheck', '-p', top, '--outDir', join(folder, 'dist')])
  for (const name of ['schemas', 'examples', 'migrations', 'package.json']) {
    cpSync(join(top, name), join(folder, name), { recursive: true })
  }
  mkdirSync(join(folder, 'policies'))
  return join(folder, 'dist', 'main.js')
}

/** A database of its own in a folder, and what a command or a service needs to know to use it. */
export async function ownDatabase(folder: string) {
  const database = join(folder, 'audit.db')
  const environment = {
    IMAGEGATE_POLICIES: await releasedPolicies(join(folder, 'policies')),
    IMAGEGATE_DATABASE_URL: `file:${database}`,
    IMAGEGATE_PORT: '0',
    IMAGEGATE_LOG_LEVEL: 'silent',
  }
  return { database, environment }
}
