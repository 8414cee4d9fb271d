import { type ChainEntry, emptyHead, linkOf, maxSegment, segmentRoot } from './chain.ts'
import type { AuditProblem, AuditProblems } from './verify-problems.ts'

/** So many entries are looked for that were taken out or put in when all later ones were numbered anew. */
const maxShift = 64

/** So many places are kept, to know which segments differ by themselves. */
const manyPlaces = 10_000

/** What an entry seals, by its columns. */
const sealed = ['verdict_id', 'record_digest']

/** True when the link is that of the entry at another place: so many further on. */
function fitsAt(entry: ChainEntry, shift: number): boolean {
  return linkOf({ ...entry, sequence: entry.sequence + shift }) === entry.link
}

function shiftOf(entry: ChainEntry): number | undefined {
  for (let far = 1; far <= maxShift; far += 1) {
    if (fitsAt(entry, far)) return far
    if (fitsAt(entry, -far)) return -far
  }
  return undefined
}

/** Walks one tenant's chain in the order of its sequence numbers and reports what is not as it was sealed. */
export class ChainWalk {
  readonly #tenant: string
  readonly #problems: AuditProblems
  #entries = 0
  #last: Pick<ChainEntry, 'sequence' | 'link'> = emptyHead
  /** Links that the next entry may begin with; undefined after an entry that was reported. */
  #previous: readonly string[] | undefined = [emptyHead.link]
  /** How much further on the entries stood that are read now. */
  #shift = 0
  /** An entry that stood elsewhere; the next one tells whether it was moved alone. */
  #moved: { readonly entry: ChainEntry; readonly shift: number } | undefined
  /** Entries that fit nowhere near, to find out which of them changed places, and what else is known of them. */
  readonly #strange: { readonly entry: ChainEntry; differs: readonly string[] }[] = []
  /** Places that were reported. */
  readonly #places: number[] = []
  /** Links of the newest entries, and the sequence number of the first of them. */
  #links: string[] = []
  #since = 1

  constructor(tenant: string, problems: AuditProblems) {
    this.#tenant = tenant
    this.#problems = problems
  }

  /** How many entries were read. */
  get entries(): number {
    return this.#entries
  }

  /** The last entry that was read. */
  get last(): Pick<ChainEntry, 'sequence' | 'link'> {
    return this.#last
  }

  /** Whether the chain differs by itself somewhere in a segment; known at its end. */
  troubled(from: number, through: number): boolean {
    return this.#places.length === manyPlaces || this.#places.some((place) => place >= from && place <= through)
  }

  /** Takes the next entry. */
  entry(entry: ChainEntry): void {
    const { sequence } = this.#last
    this.#entries += 1
    const gap = entry.sequence - sequence - 1
    if (gap > 0) this.#gap(sequence + 1, entry.sequence - 1)
    if (gap < 0) {
      const place = { sequence: entry.sequence, verdict: entry.verdictId }
      this.#report('added', place, [], 'No entry has this place, or it has one already.')
      return
    }
    const previous = gap === 0 ? this.#previous : undefined
    const fine = fitsAt(entry, 0)
    if (this.#moved !== undefined) this.#settle(entry, fine)
    if (this.#previous === undefined && gap === 0) this.#explain(entry)
    if (!fine && this.#shift !== 0 && fitsAt(entry, this.#shift)) this.#previous = [entry.link]
    else if (fine && (previous === undefined || previous.includes(entry.previousLink))) this.#accept(entry)
    else this.#doubt(entry, fine, previous)
    this.#remember(entry)
  }

  /** Reports what only the end of the chain decides. */
  end(): void {
    this.#settle(undefined, true)
    const strange = this.#strange.splice(0)
    for (const { entry, differs } of strange) {
      const other = strange.find((one) => one.entry !== entry && exchanged(entry, one.entry))
      const place = { sequence: entry.sequence, verdict: entry.verdictId }
      if (other === undefined) this.#report('changed', place, differs, 'Its link is not that of its other members.')
      else this.#report('reordered', place, [], `What it says stood at ${other.entry.sequence}.`)
    }
  }

  /** Link and Merkle root of a segment that ends with the last entry; undefined when entries of it are missing. */
  segment(from: number): { readonly link: string; readonly root: string } | undefined {
    const length = this.#last.sequence - from + 1
    if (from < this.#since || length < 1 || length > this.#links.length) return undefined
    return { link: this.#last.link, root: segmentRoot(this.#links.slice(-length)) }
  }

  #accept(entry: ChainEntry): void {
    this.#shift = 0
    this.#previous = [entry.link]
  }

  #doubt(entry: ChainEntry, fine: boolean, previous: readonly string[] | undefined): void {
    this.#previous = undefined
    this.#shift = 0
    const place = { sequence: entry.sequence, verdict: entry.verdictId }
    if (fine) {
      const message = `It follows ${entry.previousLink}; the entry before ends in ${previous?.[0]}.`
      this.#report('changed', place, ['previous_link'], message)
      return
    }
    const [before] = previous ?? []
    if (before !== undefined && linkOf({ ...entry, previousLink: before }) === entry.link) {
      this.#report('changed', place, ['previous_link'], `It must follow ${before}.`)
      return
    }
    const shift = shiftOf(entry)
    if (shift !== undefined) this.#moved = { entry, shift }
    else if (this.#strange.length < 100) this.#strange.push({ entry, differs: sealed })
    else this.#report('changed', place, sealed, 'Its link is not that of its other members.')
  }

  /** What an entry follows tells whether the link before it was changed by itself. */
  #explain({ sequence, previousLink }: ChainEntry): void {
    const strange = this.#strange.at(-1)
    if (strange === undefined || strange.entry.sequence !== sequence - 1) return
    if (linkOf(strange.entry) === previousLink) strange.differs = ['link']
  }

  /** Tells what became of an entry that stood elsewhere, when the next one is there. */
  #settle(next: ChainEntry | undefined, fine: boolean): void {
    if (this.#moved === undefined) return
    const { entry, shift } = this.#moved
    this.#moved = undefined
    const place = { sequence: entry.sequence, verdict: entry.verdictId }
    const alone = next === undefined ? Math.abs(shift) > 1 : fine || !fitsAt(next, shift)
    if (alone) {
      this.#report('reordered', place, [], `The entry stood at ${entry.sequence + shift}.`)
      return
    }
    this.#shift = shift
    const { sequence } = entry
    const numbered = `the entries from here on were numbered anew by ${Math.abs(shift)}`
    if (shift > 0) this.#report('removed', { sequence }, [], `Entries before are gone and ${numbered}.`)
    else this.#report('added', { sequence: sequence + shift }, [], `Entries were put in and ${numbered}.`)
  }

  #gap(from: number, to: number): void {
    this.#links = []
    this.#since = to + 1
    const place = { sequence: from, ...(to > from ? { through: to } : {}) }
    this.#report('removed', place, [], to > from ? 'These entries are not there.' : 'This entry is not there.')
  }

  #report(
    kind: AuditProblem['kind'],
    place: Pick<AuditProblem, 'sequence' | 'through' | 'verdict'>,
    differs: readonly string[],
    message: string,
  ): void {
    const { sequence } = place
    if (sequence !== undefined && this.#places.length < manyPlaces) this.#places.push(sequence)
    this.#problems.add({ kind, where: 'chain', tenant: this.#tenant, ...place, differs: [...differs], message })
  }

  #remember({ sequence, link }: ChainEntry): void {
    this.#last = { sequence, link }
    this.#links.push(link)
    if (this.#links.length <= 2 * maxSegment) return
    this.#links = this.#links.slice(-maxSegment)
    this.#since = sequence - maxSegment + 1
  }
}

/** True when an entry fits where another stands, or with what another says. */
function exchanged(entry: ChainEntry, other: ChainEntry): boolean {
  if (linkOf({ ...entry, sequence: other.sequence }) === entry.link) return true
  const { verdictId, recordDigest } = other
  return linkOf({ ...entry, verdictId, recordDigest }) === entry.link
}
