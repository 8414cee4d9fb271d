import type { FstabEntry } from '../../documents/facts.ts'
import type { GuestFiles } from '../guest.ts'
import type { Missing } from '../part.ts'
import { type FstabLine, mountedAtBoot } from './fstab.ts'
import type { LinuxInput } from './input.ts'
import { type Resolver, resolver } from './resolve.ts'
import { shown, stated } from './text.ts'
import { type Found, missing } from './topic.ts'

const maxEntries = 256
const unresolved = new Set(['network', 'pseudo', 'removable', 'other'])

async function resolves(line: FstabLine, find: Resolver, files: GuestFiles): Promise<boolean | undefined> {
  if (line.kind !== 'file-path') return find.exists(line)
  return line.key.startsWith('/') ? (await files.stat(line.key)) !== undefined : undefined
}

/** The facts about /etc/fstab. */
export async function fstabFacts(
  input: LinuxInput,
  files: GuestFiles,
  lines: readonly FstabLine[] | undefined,
): Promise<Found> {
  if (lines === undefined) return { facts: { files: { fstab: { present: false } } } }
  if (lines.length > maxEntries) {
    const lost = missing('/files/fstab/entries', 'too-large', `The file has more than ${maxEntries} entries.`)
    return { facts: { files: { fstab: { present: true } } }, missing: [lost] }
  }
  const find = resolver(input, lines)
  const lost: Missing[] = []
  const entries = await Promise.all(
    lines.map(async (line, index): Promise<FstabEntry> => {
      const resolved = await resolves(line, find, files)
      const source = shown(line.source, 1024)
      const pointer = `/files/fstab/entries/${index}`
      if (source === undefined)
        lost.push(missing(`${pointer}/source`, 'secret', 'The field looks like a secret and is left out.'))
      if (resolved === undefined && !unresolved.has(line.kind)) {
        const reason = 'The volumes of the image are not all known, so the source cannot be compared with them.'
        lost.push(missing(`${pointer}/resolves`, 'undeterminable', reason))
      }
      return stated({
        source,
        sourceKind: line.kind,
        mountPoint: shown(line.mountPoint, 1024),
        fileSystem: shown(line.type, 64),
        mountedAtBoot: mountedAtBoot(line),
        noFail: line.options.includes('nofail') || line.options.includes('failok'),
        resolves: resolved,
      })
    }),
  )
  return { facts: { files: { fstab: { present: true, entries } } }, missing: lost }
}
