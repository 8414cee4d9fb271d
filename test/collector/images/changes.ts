import { chmod, lstat, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run } from './run.ts'

/** What a path of a guest becomes: a file, a link, a directory, a change of attributes, or nothing. */
export type Change =
  | string
  | Buffer
  | undefined
  | { readonly link: string }
  | { readonly directory: true }
  | { readonly attribute: 'i' | 'a' }
  | { readonly content: string | Buffer; readonly mode: number }

/** Changes by absolute path in the guest, in their order. */
export type Changes = Readonly<Record<string, Change>>

/** What a change makes of a path, in one form. */
export type Plain =
  | { readonly kind: 'file'; readonly content: Buffer; readonly mode: number }
  | { readonly kind: 'link'; readonly link: string }
  | { readonly kind: 'directory' }
  | { readonly kind: 'attribute'; readonly attribute: 'i' | 'a' }
  | { readonly kind: 'removed' }

/** One change in one form. */
export function plain(change: Change): Plain {
  if (change === undefined) return { kind: 'removed' }
  if (typeof change === 'string' || Buffer.isBuffer(change)) {
    return { kind: 'file', content: Buffer.from(change), mode: 0o644 }
  }
  if ('link' in change) return { kind: 'link', ...change }
  if ('attribute' in change) return { kind: 'attribute', ...change }
  if ('content' in change) return { kind: 'file', content: Buffer.from(change.content), mode: change.mode }
  return { kind: 'directory' }
}

/** Applies changes to a tree of files on this machine; attributes are left to the image. Links of the tree are not followed. */
export async function changeTree(root: string, changes: Changes): Promise<void> {
  for (const [path, change] of Object.entries(changes)) {
    const here = join(root, path)
    const to = plain(change)
    if (to.kind === 'attribute') continue
    const folder = await lstat(dirname(here)).catch(() => undefined)
    if (folder === undefined) await mkdir(dirname(here), { recursive: true })
    else if (folder.isSymbolicLink()) throw new Error(`${dirname(path)} is a link; write behind it.`)
    if (to.kind === 'directory') await mkdir(here, { recursive: true })
    else await rm(here, { recursive: true, force: true })
    if (to.kind === 'link') await symlink(to.link, here)
    if (to.kind === 'file') {
      await writeFile(here, to.content, { flag: 'wx' })
      await chmod(here, to.mode)
    }
  }
}

/** A copy of a tree with all that its files have. */
export async function copyTree(from: string, to: string): Promise<void> {
  await run('cp', ['--archive', '--one-file-system', from, to])
}
