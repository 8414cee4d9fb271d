import { createHash } from 'node:crypto'
import { readdir, readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where dpkg keeps its list. */
export const dpkgStatus = '/var/lib/dpkg/status'

/** dpkg's list of a tree with one package's entry changed; undefined takes it out. */
export async function dpkgWith(
  tree: string,
  name: string,
  edit: (stanza: string) => string | undefined,
): Promise<string> {
  const text = await readFile(join(tree, dpkgStatus), 'utf8')
  const stanzas = text.split('\n\n').flatMap((stanza) => {
    if (!stanza.startsWith(`Package: ${name}\n`)) return [stanza]
    return edit(stanza) ?? []
  })
  return stanzas.join('\n\n')
}

const information = '/var/lib/dpkg/info'

/** Rewrites the lists of dpkg's digests in a tree, line by line; undefined takes a line out. */
async function rewriteSums(
  tree: string,
  rewrite: (digest: string, path: string) => Promise<string | undefined>,
): Promise<void> {
  const folder = join(tree, information)
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.md5sums')) continue
    const lines = (await readFile(join(folder, name), 'utf8')).split('\n').filter((line) => line !== '')
    const kept: string[] = []
    for (const line of lines) {
      const [digest = '', path = ''] = line.split(/ {2}/)
      const written = await rewrite(digest, path)
      if (written !== undefined) kept.push(`${written}  ${path}\n`)
    }
    await writeFile(join(folder, name), kept.join(''))
  }
}

/** Takes out of dpkg's digests what was taken out of a tree. */
export function forgetRemoved(tree: string): Promise<void> {
  return rewriteSums(tree, async (digest, path) => {
    const found = await stat(join(tree, path)).catch(() => undefined)
    return found === undefined ? undefined : digest
  })
}

/** Makes dpkg's digests those of the files that were written into a tree. */
export async function updateSums(tree: string, paths: readonly string[]): Promise<void> {
  const own = new Set(await Promise.all(paths.map((path) => realpath(join(tree, path)).catch(() => ''))))
  await rewriteSums(tree, async (digest, path) => {
    const real = await realpath(join(tree, path)).catch(() => '')
    return own.has(real)
      ? createHash('md5')
          .update(await readFile(real))
          .digest('hex')
      : digest
  })
}
