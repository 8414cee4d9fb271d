import { StringDecoder } from 'node:string_decoder'
import { filePieces, GuestError, type GuestFiles, type Pieces } from '../guest.ts'
import { detached, linesOf } from './text.ts'

const maxStatusBytes = 64 * 1_048_576
const maxPackages = 20_000
/** The longest paragraph, and what is kept of all. Unit: characters. */
const maxParagraph = 4 * 1_048_576
const maxKept = 16 * 1_048_576

/** One installed package, of whichever database. */
export interface Package {
  readonly name: string
  /** As the database gives it: with epoch and revision. */
  readonly version: string
}

/** A package of dpkg. */
export interface DpkgPackage extends Package {
  readonly architecture: string
  /** Paths of its configuration files. */
  readonly configuration: readonly string[]
}

/** The paragraphs of a text that comes in pieces. Throws a GuestError, too-large, for one without end. */
async function* paragraphsOf(pieces: Pieces): AsyncGenerator<string, void, void> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const piece of pieces) {
    rest += decoder.write(piece)
    const end = rest.lastIndexOf('\n\n')
    if (end >= 0) yield* rest.slice(0, end).split(/\n{2,}/)
    rest = rest.slice(end < 0 ? 0 : end + 2)
    if (rest.length > maxParagraph) throw new GuestError('too-large', 'A paragraph of dpkg is too long.')
  }
  yield rest + decoder.end()
}

function packageOf(paragraph: string): DpkgPackage | undefined {
  const fields = new Map<string, string>()
  let last = ''
  for (const line of linesOf(paragraph)) {
    if (/^[ \t]/.test(line)) {
      if (last === 'Conffiles') fields.set(last, `${fields.get(last) ?? ''}\n${line.trim()}`)
      continue
    }
    const at = line.indexOf(':')
    last = line.slice(0, at)
    if (at > 0) fields.set(last, line.slice(at + 1).trim())
  }
  const [name, version] = [fields.get('Package'), fields.get('Version')]
  if (name === undefined || version === undefined || !/ installed$/.test(fields.get('Status') ?? '')) return undefined
  const configuration = linesOf(detached(fields.get('Conffiles') ?? '')).map((line) => line.split(' ', 1)[0] ?? '')
  const paths = configuration.filter((path) => path.startsWith('/'))
  const architecture = detached(fields.get('Architecture') ?? '')
  return { name: detached(name), version: detached(version), architecture, configuration: paths }
}

/** The packages that dpkg installed; undefined when the guest has no dpkg. Removed ones that left their configuration are not installed. */
export async function readDpkg(files: GuestFiles): Promise<DpkgPackage[] | undefined> {
  const pieces = await filePieces(files, '/var/lib/dpkg/status', maxStatusBytes)
  if (pieces === undefined) return undefined
  const packages: DpkgPackage[] = []
  let [read, kept] = [0, 0]
  for await (const paragraph of paragraphsOf(pieces)) {
    read += 1
    if (read > maxPackages) throw new GuestError('too-large', `There are more than ${maxPackages} packages of dpkg.`)
    const found = packageOf(paragraph)
    if (found === undefined) continue
    const { name, version, architecture, configuration } = found
    for (const text of [name, version, architecture, ...configuration]) kept += text.length
    if (kept > maxKept) throw new GuestError('too-large', 'The status of dpkg is too long.')
    packages.push(found)
  }
  return packages
}
