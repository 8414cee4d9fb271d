import { lstat, readlink } from 'node:fs/promises'

/** What a sandbox shows besides the system's programs. */
export interface View {
  /** Read-only: path there by path outside. */
  readonly readOnly?: Readonly<Record<string, string>>
  /** Writable: path there by path outside. */
  readonly writable?: Readonly<Record<string, string>>
  /** FUSE, and the right to mount inside the sandbox's own name space. */
  readonly fuse?: boolean
  /** The descriptor on which bwrap tells the number of its first process. */
  readonly infoDescriptor?: number
}

const systemFolders = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']

/** /usr and what beside it holds programs and libraries, as links where the system has links. */
async function system(): Promise<string[]> {
  const shown = await Promise.all(
    systemFolders.map(async (path) => {
      const found = await lstat(path).catch(() => undefined)
      if (found?.isSymbolicLink()) return ['--symlink', await readlink(path), path]
      return found?.isDirectory() ? ['--ro-bind', path, path] : []
    }),
  )
  return ['--ro-bind', '/usr', '/usr', ...shown.flat()]
}

let known: Promise<string[]> | undefined

/**
 * Arguments of bwrap: no network, nothing of the file system but programs and the view, no capabilities, another user
 * than root.
 */
export async function sandboxArguments(view: View): Promise<string[]> {
  known ??= system()
  const binds = (option: string, paths: Readonly<Record<string, string>> = {}) =>
    Object.entries(paths).flatMap(([inside, outside]) => [option, outside, inside])
  return [
    ...['--unshare-all', '--unshare-user', '--die-with-parent', '--new-session'],
    ...(view.fuse ? ['--uid', '0', '--gid', '0', '--cap-add', 'CAP_SYS_ADMIN'] : ['--uid', '65534', '--gid', '65534']),
    ...(view.fuse ? [] : ['--cap-drop', 'ALL']),
    ...(await known),
    ...['--dev', '/dev'],
    ...(view.fuse ? ['--proc', '/proc', '--dir', '/tmp', '--dev-bind', '/dev/fuse', '/dev/fuse'] : []),
    ...(view.infoDescriptor === undefined ? [] : ['--info-fd', String(view.infoDescriptor)]),
    ...binds('--ro-bind', view.readOnly),
    ...binds('--bind', view.writable),
    // Else memory could be filled through them.
    ...['--remount-ro', '/dev', '--remount-ro', '/'],
    '--',
  ]
}
