import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { findTool } from './tools/find.ts'
import { runProcess } from './tools/spawn.ts'
import { type ToolName, tools } from './tools/table.ts'
import { openToolbox } from './tools/toolbox.ts'

/** One program that collecting uses, and whether it is there. */
export interface ToolState {
  readonly name: string
  /** Absolute path; absent when it is not installed. */
  readonly path?: string
  /** Absent when the program does not tell it. */
  readonly version?: string
  /** The Debian package that brings it. */
  readonly package: string
  /** What is unknown without it. */
  readonly serves: string
}

/** Something of the system that makes collecting faster or safer, and is no program. */
export interface Condition {
  readonly name: string
  readonly holds: boolean
  /** What follows from it. */
  readonly meaning: string
}

/** What collecting finds on this system. */
export interface Diagnosis {
  readonly tools: readonly ToolState[]
  readonly conditions: readonly Condition[]
}

/** Programs that tell their version by other arguments than --version; tune2fs and fsck.fat tell it above a refusal. */
const versionArguments = new Map<string, readonly string[]>([
  ...['blkid', 'debugfs', 'e2fsck', 'tune2fs', 'xfs_db', 'xfs_repair'].map((name) => [name, ['-V']] as const),
  ['fsck.fat', ['-n', '/dev/null']],
])

/** Programs that tell it nowhere. */
const unversioned: ReadonlySet<string> = new Set(['hivexsh'])
const seconds = 10
const maxBytes = 65_536

async function versionOf(name: ToolName, path: string, signal: AbortSignal): Promise<string | undefined> {
  if (unversioned.has(name)) return undefined
  try {
    const command = [path, ...(versionArguments.get(name) ?? ['--version'])]
    const { stdout, stderr } = await runProcess({ command }, seconds, maxBytes, signal)
    return /(?<![\d.])\d{1,6}(?:\.\d{1,6}){1,3}/.exec(`${stdout.toString('utf8')}\n${stderr}`)?.[0]
  } catch {
    return undefined
  }
}

async function stateOf(name: ToolName, signal: AbortSignal, folders?: readonly string[]): Promise<ToolState> {
  const { package: brings, serves } = tools[name]
  const path = await findTool(name, folders)
  if (path === undefined) return { name, package: brings, serves }
  const version = await versionOf(name, path, signal)
  return { name, path, ...(version === undefined ? {} : { version }), package: brings, serves }
}

async function canOpen(path: string): Promise<boolean> {
  return access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
}

async function sandboxed(signal: AbortSignal, folders?: readonly string[]): Promise<boolean> {
  const toolbox = await openToolbox({ signal, ...(folders === undefined ? {} : { folders }) })
  await toolbox.close()
  return toolbox.sandboxed
}

function isToolName(name: string): name is ToolName {
  return Object.hasOwn(tools, name)
}

/** Looks for every program and condition that collecting uses. `folders` are those that programs are looked for in. */
export async function diagnose(signal: AbortSignal, folders?: readonly string[]): Promise<Diagnosis> {
  const names = Object.keys(tools).filter(isToolName)
  const [found, sandbox, fuse] = await Promise.all([
    Promise.all(names.map((name) => stateOf(name, signal, folders))),
    sandboxed(signal, folders),
    canOpen('/dev/fuse'),
  ])
  return {
    tools: found,
    conditions: [
      {
        name: 'sandbox',
        holds: sandbox,
        meaning: sandbox
          ? 'Programs that read an image see neither the network nor the rest of the file system.'
          : 'bwrap is missing or cannot make its name spaces here: programs that read an image run with limits alone.',
      },
      {
        name: 'FUSE',
        holds: fuse,
        meaning: fuse
          ? 'The disk inside a QCOW2 or a VHD is shown without a copy.'
          : '/dev/fuse cannot be opened: the disk inside a QCOW2 or a VHD is copied first, which takes room and time.',
      },
    ],
  }
}
