import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { smallDebianTree } from './debian.ts'

/** Where dpkg keeps its list. */
export const dpkgStatus = '/var/lib/dpkg/status'

/** dpkg's list of the good image with one package's entry changed; undefined takes it out. */
export async function dpkgWith(name: string, edit: (stanza: string) => string | undefined): Promise<string> {
  const text = await readFile(join(await smallDebianTree(), dpkgStatus), 'utf8')
  const stanzas = text.split('\n\n').flatMap((stanza) => {
    if (!stanza.startsWith(`Package: ${name}\n`)) return [stanza]
    return edit(stanza) ?? []
  })
  return stanzas.join('\n\n')
}
