import { chmod, chown, mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { turns } from '../turns.ts'
import { folderPrefix, removeAbandoned } from './abandoned.ts'
import type { ToolCall, ToolResult } from './call.ts'
import { commandFor, type Surroundings } from './command.ts'
import { checkEnd } from './ending.ts'
import { findTool, toolFolders, toolMissing } from './find.ts'
import { temporaryFolder } from './identity.ts'
import { defaultLimits } from './limits.ts'
import { sandboxWorks } from './probe-sandbox.ts'
import { readFolder } from './read-folder.ts'
import { type Session, startSession } from './session.ts'
import { type Identity, runProcess, timeOver } from './spawn.ts'
import type { ToolName } from './table.ts'

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
  /** Starts a program that is asked over and over and may write into its folder. It ends with the toolbox at the latest. */
  start(call: ToolCall): Promise<Session>
  /** Ends every program that still runs. */
  stop(): Promise<void>
  /** Ends every program and removes the folder. */
  close(): Promise<void>
}

export interface ToolboxOptions {
  readonly identity?: Identity | undefined
  readonly signal: AbortSignal
  /** Where programs are looked for. */
  readonly folders?: readonly string[]
  /** off: do without bwrap even where it works. */
  readonly sandbox?: 'auto' | 'off'
  /** Told of every program that has been started and is being waited for. */
  readonly onProgram?: (() => void) | undefined
}

/** Looks programs up once each. */
function finder(folders: readonly string[]): Surroundings['find'] {
  const paths = new Map<ToolName, Promise<string | undefined>>()
  return async (name) => {
    const known = paths.get(name) ?? findTool(name, folders)
    paths.set(name, known)
    const path = await known
    if (path === undefined) throw toolMissing(name)
    return path
  }
}

/** Makes a directory that only the programs' user may enter. */
async function ownFolder(path: string, identity: Identity | undefined): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  await chmod(path, 0o700)
  if (identity) await chown(path, identity.uid, identity.gid)
  return path
}

/** The toolbox's directories, in its own. */
async function ownFolders(
  identity: Identity | undefined,
): Promise<{ readonly folder: string; readonly calls: string }> {
  const temporary = await temporaryFolder(identity)
  await removeAbandoned(temporary)
  const folder = await ownFolder(await mkdtemp(join(temporary, folderPrefix)), identity)
  const calls = await ownFolder(join(folder, 'calls'), identity)
  await ownFolder(join(folder, 'parts'), identity)
  await writeFile(join(calls, 'mtab'), '', { mode: 0o644 })
  return { folder, calls }
}

/** The path of bwrap where it works. */
async function workingSandbox(folders: readonly string[], identity: Identity | undefined): Promise<string | undefined> {
  const bwrap = await findTool('bwrap', folders)
  return bwrap !== undefined && (await sandboxWorks(bwrap, identity)) ? bwrap : undefined
}

/** Makes the toolbox of one image. */
export async function openToolbox(options: ToolboxOptions): Promise<Toolbox> {
  const { identity, signal } = options
  const folders = options.folders ?? toolFolders
  const probing = options.sandbox === 'off' ? Promise.resolve(undefined) : workingSandbox(folders, identity)
  const [bwrap, own] = await Promise.allSettled([probing, ownFolders(identity)])
  if (own.status === 'rejected') throw own.reason
  const { folder, calls } = own.value
  if (bwrap.status === 'rejected') {
    await rm(folder, { recursive: true, force: true })
    throw bwrap.reason
  }
  const sandboxed = bwrap.value !== undefined
  const find = finder(folders)
  const around = { bwrap: bwrap.value, identity, folder, find }
  const turn = turns(3)
  const heavyTurn = turns(1)
  const over = new AbortController()
  const running = new Set<Promise<unknown>>()
  const limit = AbortSignal.any([signal, over.signal])
  const sessions: Session[] = []
  let number = 0
  const nextFolder = () => {
    number += 1
    return ownFolder(join(calls, String(number)), identity)
  }

  /** What a topic that has failed left behind may ask after everything is over; no process and no folder of it may stay. */
  const refuseLate = () => {
    if (limit.aborted) throw timeOver()
  }

  const run = async (call: ToolCall): Promise<ToolResult> => {
    refuseLate()
    const limits = { ...defaultLimits, ...call.limits }
    // Most programs only print; those that neither get nor write files need no directory.
    const own = call.files || call.writes ? await nextFolder() : undefined
    const output = call.output === undefined ? undefined : await open(call.output, 'wx', 0o600)
    try {
      for (const [name, content] of Object.entries(call.files ?? {}))
        if (own) await writeFile(join(own, name), content, { flag: 'wx', mode: 0o644 })
      const { command } = await commandFor(around, call, limits, own)
      const ending = runProcess({ command, identity, output: output?.fd }, limits.seconds, limits.stdoutBytes, limit)
      options.onProgram?.()
      const ended = await ending
      checkEnd(call.tool, ended)
      if (own === undefined || !call.writes) return { ...ended, files: new Map() }
      if (call.keep && ended.code === 0) await rename(join(own, call.keep.name), call.keep.path)
      return { ...ended, files: await readFolder(own, new Set(Object.keys(call.files ?? {})), limits.fileBytes) }
    } finally {
      await output?.close()
      if (own) await rm(own, { recursive: true, force: true })
    }
  }

  const start = async (call: ToolCall): Promise<Session> => {
    refuseLate()
    const limits = { ...defaultLimits, ...call.limits }
    const own = await nextFolder()
    const { command, seen } = await commandFor(around, { ...call, writes: true }, limits, own)
    refuseLate()
    const asking = { seconds: limits.seconds, bytes: limits.stdoutBytes }
    const session = startSession({ command, identity }, own, seen.folder, asking)
    sessions.push(session)
    signal.addEventListener('abort', session.stop, { once: true })
    return session
  }

  const stop = async () => {
    over.abort()
    for (const session of sessions) {
      signal.removeEventListener('abort', session.stop)
      session.stop()
    }
    await Promise.allSettled(running)
  }
  const close = async () => {
    await stop()
    await rm(folder, { recursive: true, force: true })
  }
  const makeFolder = (name: string) => ownFolder(join(folder, name), identity)
  /** Keeps the folder until what was begun has ended. */
  const watched = <T>(begun: Promise<T>): Promise<T> => {
    running.add(begun)
    const done = () => running.delete(begun)
    begun.then(done, done)
    return begun
  }
  return {
    sandboxed,
    identity,
    signal,
    folder,
    find,
    makeFolder,
    stop,
    close,
    run: (call) => {
      const inTurn = () => turn(() => run(call))
      return watched(call.heavy ? heavyTurn(inTurn) : inTurn())
    },
    start: (call) => watched(start(call)),
  }
}
