import { readdir, readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ImagegateError } from '../errors.ts'
import { parseFacts } from '../facts/parse.ts'
import type { NamedDocument } from '../policy/diff/bases.ts'

const shipped = fileURLToPath(new URL('../../examples', import.meta.url))

async function readDocument(path: string, name: string): Promise<NamedDocument> {
  try {
    return { name, document: parseFacts(await readFile(path)).document }
  } catch (error) {
    if (!(error instanceof ImagegateError)) throw error
    throw new ImagegateError(error.code, `${name}: ${error.message}`, { problems: error.problems, cause: error })
  }
}

/**
 * The fact documents (*.json) of a folder, by default of the examples that come with the program: those in the family's own folder,
 * or all when it has none; ready ones first, and of these the plainest name. Throws FILE_UNREADABLE, or what makes a document invalid.
 */
export async function exampleDocuments(family: string, given?: string): Promise<NamedDocument[]> {
  const folder = given === undefined ? shipped : resolve(given)
  const names = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new ImagegateError('FILE_UNREADABLE', `${folder} cannot be read.`, { cause })
  })
  const files = names.filter((name) => name.endsWith('.json')).map((name) => name.replaceAll('\\', '/'))
  const own = files.filter((name) => name.split('/').includes(family))
  const rank = (name: string) => (name.includes('ready') ? 0 : 1)
  const sorted = (own.length > 0 ? own : files).sort(
    (a, b) => rank(a) - rank(b) || a.length - b.length || a.localeCompare(b, 'en'),
  )
  const top = given === undefined ? 'examples' : relative('.', folder) || '.'
  return Promise.all(sorted.map((name) => readDocument(join(folder, name), `${top}/${name}`)))
}
