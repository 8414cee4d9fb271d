import { join } from 'node:path'
import type { Seen, ToolCall } from './call.ts'
import { type Limits, limitArguments } from './limits.ts'
import { sandboxArguments } from './sandbox.ts'
import type { Identity } from './spawn.ts'
import type { ToolName } from './table.ts'

/** What commands of one image have in common. */
export interface Surroundings {
  /** The absolute path of bwrap where it works. */
  readonly bwrap: string | undefined
  readonly identity: Identity | undefined
  /** The toolbox's own directory. */
  readonly folder: string
  /** The absolute path of a program. Throws tool-missing. */
  readonly find: (name: ToolName) => Promise<string>
}

/** The whole command line of a call, and the paths that the program sees. The folder is the call's own, if it has one. */
export async function commandFor(
  around: Surroundings,
  call: ToolCall,
  limits: Limits,
  folder: string | undefined,
): Promise<{ readonly command: readonly string[]; readonly seen: Seen }> {
  const { bwrap, find } = around
  const { place } = call
  const tool = await find(call.tool)
  const limited = [await find('prlimit'), ...limitArguments(limits)]
  if (bwrap === undefined) {
    const seen = { image: place?.path ?? '/nonexistent', folder: folder ?? '/nonexistent' }
    const privileges = process.getuid?.() === 0 && !around.identity ? ['--bounding-set=-all', '--inh-caps=-all'] : []
    const plain = [await find('setpriv'), '--pdeathsig', 'KILL', '--no-new-privs', ...privileges, '--']
    return { command: [...limited, ...plain, tool, ...call.args(seen)], seen }
  }
  const seen = { image: '/image', folder: '/work' }
  const calls = place?.inside === undefined ? join(around.folder, 'calls') : '/calls'
  const work = folder === undefined ? {} : { '/work': folder.replace(join(around.folder, 'calls'), calls) }
  // e2fsprogs refuses to work without a list of mounts.
  const shown = { '/etc/mtab': join(calls, 'mtab'), ...(place ? { '/image': place.path } : {}) }
  const view = call.writes ? { readOnly: shown, writable: work } : { readOnly: { ...shown, ...work } }
  const enter = place?.inside === undefined ? [] : await enterArguments(find, place.inside)
  return { command: [...limited, ...enter, bwrap, ...(await sandboxArguments(view)), tool, ...call.args(seen)], seen }
}

/** Goes into the name spaces in which a daemon shows the disk, from where bwrap makes its own again. */
async function enterArguments(find: Surroundings['find'], inside: number): Promise<string[]> {
  const spaces = ['-U', '-m', '-n', '-i', '-u', '-p', '--preserve-credentials']
  return [await find('nsenter'), `--target=${inside}`, ...spaces, '--']
}
