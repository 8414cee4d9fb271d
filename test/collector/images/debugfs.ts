import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type Changes, plain } from './changes.ts'
import { run } from './run.ts'

/** What debugfs says of a directory that is there and of a file that is not. */
const expected = /File not found by ext2_lookup|^debugfs [\d.]+ |^$/
const attributes = { i: 0x10, a: 0x20 } as const
const extents = 0x80000

/** Where an ext file system begins in a file. */
export interface ExtPlace {
  readonly path: string
  /** Unit: bytes. */
  readonly offset?: number
}

/** The name by which the programs of e2fsprogs take it. */
export function extName({ path, offset = 0 }: ExtPlace): string {
  return `${path}?offset=${offset}`
}

/** Gives commands to debugfs, which may write. Throws when it complains of more than of missing files. */
export async function debugfs(place: ExtPlace, commands: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'imagegate-debugfs-'))
  try {
    const script = join(folder, 'script')
    await writeFile(script, `${commands.join('\n')}\n`)
    const { stdout, stderr } = await run('debugfs', ['-w', '-f', script, extName(place)])
    const complaints = stderr.split('\n').filter((line) => !expected.test(line))
    if (complaints.length > 0) throw new Error(`debugfs: ${complaints.join('\n')}`)
    return stdout.toString()
  } finally {
    await rm(folder, { recursive: true })
  }
}

function parents(path: string): string[] {
  const names = path.split('/').slice(1, -1)
  return names.map((_name, index) => `/${names.slice(0, index + 1).join('/')}`)
}

/** Directories above these paths that are not there, outer ones first; debugfs would spoil the disk by making one again. */
async function missingParents(place: ExtPlace, paths: readonly string[]): Promise<string[]> {
  const all = [...new Set(paths.flatMap(parents))]
  const said = await debugfs(
    place,
    all.map((path) => `stat ${path}`),
  )
  const answers = said.split(/^debugfs: stat /m).slice(1)
  return all.filter((_path, index) => !answers[index]?.includes('Inode: '))
}

/** Applies changes to an ext2, ext3 or ext4 file system in place. */
export async function changeExt(place: ExtPlace, changes: Changes, extentFiles = true): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'imagegate-edit-'))
  try {
    const made = Object.keys(changes).filter((path) => changes[path] !== undefined)
    const commands = (await missingParents(place, made)).map((path) => `mkdir ${path}`)
    for (const [index, [path, change]] of Object.entries(changes).entries()) {
      const to = plain(change)
      if (to.kind === 'attribute') {
        const flags = attributes[to.attribute] | (extentFiles ? extents : 0)
        commands.push(`set_inode_field ${path} flags 0x${flags.toString(16)}`)
        continue
      }
      if (to.kind !== 'directory') commands.push(`rm ${path}`)
      if (to.kind === 'directory') commands.push(`mkdir ${path}`)
      if (to.kind === 'link') commands.push(`symlink ${path} ${to.link}`)
      if (to.kind === 'file') {
        const content = join(folder, String(index))
        await writeFile(content, to.content)
        const mode = `0${(0o100000 | to.mode).toString(8)}`
        commands.push(
          `cd ${dirname(path)}`,
          `write ${content} ${basename(path)}`,
          'cd /',
          `set_inode_field ${path} mode ${mode}`,
        )
        commands.push(`set_inode_field ${path} uid 0`, `set_inode_field ${path} gid 0`)
      }
    }
    await debugfs(place, commands)
  } finally {
    await rm(folder, { recursive: true })
  }
}
