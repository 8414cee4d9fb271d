import { lstat, readdir, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ExtPlace, extName } from './debugfs.ts'
import { run } from './run.ts'

/** Features that Debian 10's mke2fs gives an ext4 file system, but for 64bit, which the policy forbids. */
export const debian10Features = [
  'has_journal,ext_attr,resize_inode,dir_index,filetype,extent,flex_bg,sparse_super',
  'large_file,huge_file,dir_nlink,extra_isize,metadata_csum',
].join(',')

/** An ext2, ext3 or ext4 file system. */
export interface ExtPlan {
  readonly type?: 'ext2' | 'ext3' | 'ext4'
  /** All of its features; without them those of the type. */
  readonly features?: string
  readonly uuid: string
  readonly label?: string
  /** Unit: MiB. */
  readonly size: number
  /** The tree that it holds; nothing without one. */
  readonly tree?: string
  /** Which quota files there are, as mke2fs takes it by -E: quotatype=prjquota. */
  readonly extended?: string
}

/** Makes an ext file system at its place in a file that is there already. */
export async function makeExt({ path, offset = 0 }: ExtPlace, plan: ExtPlan): Promise<void> {
  const { type = 'ext4', features, uuid, label, size, tree, extended } = plan
  const options = [`offset=${offset}`, ...(extended === undefined ? [] : [extended])].join(',')
  const args = ['-q', '-F', '-t', type, '-b', '4096', '-U', uuid, '-E', options]
  if (features !== undefined) args.push('-O', `none,${features}`)
  if (label !== undefined) args.push('-L', label)
  if (tree !== undefined) args.push('-d', tree)
  await run('mke2fs', [...args, path, `${size}M`])
  // mke2fs does not count what it copied into the quota files.
  if (extended !== undefined) await run('e2fsck', ['-f', '-y', extName({ path, offset })], { codes: [0, 1] })
  await run('tune2fs', ['-c', '0', '-i', '0', extName({ path, offset })])
}

/** The lines that describe a directory to mkfs.xfs. */
async function protoOf(path: string): Promise<string[]> {
  const lines: string[] = []
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const here = join(path, entry.name)
    if (/\s/.test(here)) continue
    const { mode, uid, gid } = await lstat(here)
    const flags = `${mode & 0o4000 ? 'u' : '-'}${mode & 0o2000 ? 'g' : '-'}${(mode & 0o777).toString(8).padStart(3, '0')}`
    if (entry.isDirectory()) lines.push(`${entry.name} d${flags} ${uid} ${gid}`, ...(await protoOf(here)), '$')
    if (entry.isFile()) lines.push(`${entry.name} -${flags} ${uid} ${gid} ${here}`)
    if (entry.isSymbolicLink()) lines.push(`${entry.name} l${flags} ${uid} ${gid} ${await readlink(here)}`)
  }
  return lines
}

/** Makes an XFS file system with a tree in a file of its own. Names with blanks are left out: mkfs.xfs cannot take them. */
export async function makeXfs(path: string, tree: string, uuid: string): Promise<void> {
  const proto = `${path}.proto`
  await writeFile(proto, ['/dev/null', '0 0', 'd--755 0 0', ...(await protoOf(tree)), '$', ''].join('\n'))
  await run('mkfs.xfs', ['-q', '-f', '-m', `uuid=${uuid}`, '-p', proto, path])
}

/** Makes a btrfs file system with a tree in a file of its own. */
export async function makeBtrfs(path: string, tree: string, uuid: string): Promise<void> {
  await run('mkfs.btrfs', ['-q', '-f', '-U', uuid, '--rootdir', tree, path])
}

/** Makes a UFS2 file system with a tree in a new file. Unit of the size: MiB. */
export async function makeUfs(path: string, tree: string, size: number): Promise<void> {
  await run('makefs', ['-t', 'ffs', '-B', 'little', '-s', `${size}m`, '-o', 'version=2', path, tree])
}
