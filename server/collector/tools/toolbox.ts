import { chmod, chown, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GuestError } from '../guest.ts'
import { findTool, toolFolders, toolMissing } from './find.ts'
import { defaultLimits, type Limits, limitArguments } from './limits.ts'
import { readFolder } from './read-folder.ts'
import { sandboxArguments } from './sandbox.ts'
import { type Ended, type Identity, runProcess } from './spawn.ts'
import type { ToolName } from './table.ts'
import { turns } from './turns.ts'

/** Where a program finds bytes of an image. */
export interface Place {
  readonly path: string
  /** The process whose name spaces the path is in; our own when there is none. */
  readonly inside?: number
  /** Where the bytes begin in that file, for programs that can be told so; 0 when it is absent. */
  readonly offset?: number
}

/** Files that mention the folder they stand in, as a program sees it. */
export type FilesFor = (folder: string) => Readonly<Record<string, string | Uint8Array>>

/** One run of a program. */
export interface ToolCall {
  readonly tool: ToolName
  /** What is shown to it, read-only. */
  readonly place?: Place
  /** Files put into its folder before it starts. */
  readonly files?: Readonly<Record<string, string | Uint8Array>> | FilesFor
  /** Arguments; image is the path of the place and folder its own directory, as the program sees them. */
  /** Whether the program may write into its folder. */
  readonly writes?: boolean
  readonly args: (at: { readonly image: string; readonly folder: string }) => readonly string[]
  /** A file of that folder that is moved elsewhere on the same file system instead of being read. */
  readonly keep?: { readonly name: string; readonly path: string }
  readonly limits?: Partial<Limits>
}

/** How a program ended, and what it wrote into its folder. */
export interface ToolResult extends Ended {
  readonly files: ReadonlyMap<string, Buffer>
}

/** Runs programs on one image, each with limits and, where the system has it, in a sandbox. */
export interface Toolbox {
  /** Whether programs run in a sandbox; otherwise with limits and without privileges alone. */
  readonly sandboxed: boolean
  readonly identity: Identity | undefined
  readonly signal: AbortSignal
  /** A directory of our own, 0700, removed by close. */
  readonly folder: string
  /** The absolute path of a program. Throws tool-missing. */
  find(name: ToolName): Promise<string>
  /** Makes a directory in the folder that programs may write to. */
  makeFolder(name: string): Promise<string>
  /** Runs a program. Throws a GuestError when it did not end by itself; every exit code is a result. */
  run(call: ToolCall): Promise<ToolResult>
  close(): Promise<void>
}

export interface ToolboxOptions {
  readonly identity?: Identity | undefined
  readonly signal: AbortSignal
  /** Where programs are looked for. */
  readonly folders?: readonly string[]
  /** off: do without bwrap even where it works. */
  readonly sandbox?: 'auto' | 'off'
}

const probes = new Map<string, Promise<boolean>>()

/** Whether bwrap works here, asked once per path and user. */
function sandboxWorks(bwrap: string, identity: Identity | undefined): Promise<boolean> {
  const key = `${bwrap} ${identity?.uid}`
  const probe = async () => {
    const command = [bwrap, ...(await sandboxArguments({})), '/usr/bin/true']
    // Not with the signal of one image: the answer is for all.
    const ended = await runProcess({ command, identity }, 10, 4096, AbortSignal.timeout(10_000)).catch(() => undefined)
    return ended?.code === 0
  }
  const known = probes.get(key) ?? probe()
  probes.set(key, known)
  return known
}

const signals: Readonly<Record<number, string>> = { 9: 'SIGKILL', 24: 'SIGXCPU', 25: 'SIGXFSZ' }

/** Throws for a program that was ended by a signal, or that its wrapping could not start. */
function checkEnd(tool: ToolName, { code, signal, stderr }: Ended): void {
  const name = signal ?? (code !== null && code > 128 ? (signals[code - 128] ?? `signal ${code - 128}`) : undefined)
  if (name === 'SIGXCPU') throw new GuestError('timed-out', `${tool} used up its processor time.`)
  if (name === 'SIGXFSZ') throw new GuestError('too-large', `${tool} was to write too large a file.`)
  if (name !== undefined) throw new GuestError('tool-failed', `${tool} was ended by ${name}.`)
  if (/^(bwrap|nsenter|prlimit|setpriv): /.test(stderr) && code !== 0)
    throw new GuestError('tool-failed', `${tool} could not be started: ${stderr.split('\n', 1)[0] ?? ''}`)
}

/** Makes the toolbox of one image. */
export async function openToolbox(options: ToolboxOptions): Promise<Toolbox> {
  const { identity, signal } = options
  const folders = options.folders ?? toolFolders
  const paths = new Map<ToolName, Promise<string | undefined>>()
  const find = async (name: ToolName) => {
    const known = paths.get(name) ?? findTool(name, folders)
    paths.set(name, known)
    const path = await known
    if (path === undefined) throw toolMissing(name)
    return path
  }
  const bwrap = options.sandbox === 'off' ? undefined : await findTool('bwrap', folders)
  const sandboxed = bwrap !== undefined && (await sandboxWorks(bwrap, identity))
  const folder = await mkdtemp(join(tmpdir(), 'imagegate-'))
  const own = async (path: string) => {
    await chmod(path, 0o700)
    if (identity) await chown(path, identity.uid, identity.gid)
    return path
  }
  await own(folder)
  const makeFolder = async (name: string) => {
    const path = join(folder, name)
    await mkdir(path)
    return own(path)
  }
  await writeFile(join(await makeFolder('calls'), 'mtab'), '', { mode: 0o644 })
  await makeFolder('parts')
  const turn = turns(3)
  let calls = 0

  const commandOf = async (call: ToolCall, limits: Limits, number: number): Promise<string[]> => {
    const { place } = call
    const outside = join(folder, 'calls', String(number))
    const tool = await find(call.tool)
    const limited = [await find('prlimit'), ...limitArguments(limits)]
    if (!sandboxed || bwrap === undefined) {
      const privileges = process.getuid?.() === 0 && !identity ? ['--bounding-set=-all', '--inh-caps=-all'] : []
      const plain = [await find('setpriv'), '--pdeathsig', 'KILL', '--no-new-privs', ...privileges, '--']
      return [...limited, ...plain, tool, ...call.args({ image: place?.path ?? '/nonexistent', folder: outside })]
    }
    const enter =
      place?.inside === undefined
        ? []
        : [
            await find('nsenter'),
            `--target=${place.inside}`,
            '-U',
            '-m',
            '-n',
            '-i',
            '-u',
            '-p',
            '--preserve-credentials',
            '--',
          ]
    const calls = place?.inside === undefined ? join(folder, 'calls') : '/calls'
    const work = { '/work': join(calls, String(number)) }
    // e2fsprogs refuses to work without a list of mounts.
    const shown = { '/etc/mtab': join(calls, 'mtab'), ...(place ? { '/image': place.path } : {}) }
    const view = call.writes ? { readOnly: shown, writable: work } : { readOnly: { ...shown, ...work } }
    const inner = [...(await sandboxArguments(view)), tool, ...call.args({ image: '/image', folder: '/work' })]
    return [...limited, ...enter, bwrap, ...inner]
  }

  const run = async (call: ToolCall): Promise<ToolResult> => {
    calls += 1
    const number = calls
    const limits = { ...defaultLimits, ...call.limits }
    const own = await makeFolder(join('calls', String(number)))
    const given = typeof call.files === 'function' ? call.files(sandboxed ? '/work' : own) : (call.files ?? {})
    try {
      for (const [name, content] of Object.entries(given))
        await writeFile(join(own, name), content, { flag: 'wx', mode: 0o644 })
      const command = await commandOf(call, limits, number)
      const ended = await runProcess({ command, identity }, limits.seconds, limits.stdoutBytes, signal)
      checkEnd(call.tool, ended)
      if (call.keep && ended.code === 0) await rename(join(own, call.keep.name), call.keep.path)
      return { ...ended, files: await readFolder(own, new Set(Object.keys(given)), limits.fileBytes) }
    } finally {
      await rm(own, { recursive: true, force: true })
    }
  }

  return {
    sandboxed,
    identity,
    signal,
    folder,
    find,
    makeFolder,
    run: (call) => turn(() => run(call)),
    close: () => rm(folder, { recursive: true, force: true }),
  }
}
