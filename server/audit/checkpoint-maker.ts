import type { KeyObject } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ImagegateError } from '../errors.ts'
import { emptyHead, linkOf, maxSegment, signCheckpoint } from './chain.ts'
import { recordedText } from './identity.ts'
import type { Store, StoreLog } from './store.ts'

/** What checkpoints are made from. */
export interface MakerOptions {
  readonly store: Pick<Store, 'coverage' | 'entries' | 'checkpoints' | 'addCheckpoint'>
  /** Private Ed25519 key. */
  readonly key: KeyObject
  readonly log: StoreLog
  readonly now: () => Date
}

/** What a pass came to. */
export interface Pass {
  readonly made: number
  /** Tenants whose chain does not continue from its last checkpoint. */
  readonly broken: readonly string[]
}

/** Entries that are read and checked in one turn of the event loop. */
const portion = 256

/**
 * Covers what is sealed: whole segments, and with `all` what is left of them, too. A chain that does not continue from
 * its last checkpoint is not signed. Stops between two checkpoints once `until` (performance.now) has passed.
 */
export async function makeCheckpoints(
  options: MakerOptions,
  all: boolean,
  until = Number.POSITIVE_INFINITY,
): Promise<Pass> {
  const least = all ? 1 : maxSegment
  const broken: string[] = []
  let made = 0
  for (const { tenant, sealed, covered } of await options.store.coverage()) {
    try {
      let from = covered + 1
      let link = covered === 0 ? emptyHead.link : await lastLink(options, tenant, covered)
      while (sealed - from + 1 >= least && performance.now() < until) {
        const links = await segmentLinks(options, { tenant, from, to: Math.min(sealed, from + maxSegment - 1), link })
        const checkpoint = signCheckpoint({ tenant, from, links }, recordedText(options.now().getTime()), options.key)
        // Another process was faster: what is left is left to it, or to the next pass.
        if ((await options.store.addCheckpoint(checkpoint)) === 'taken') break
        made += 1
        from = checkpoint.sequence + 1
        link = checkpoint.link
      }
    } catch (error) {
      if (!(error instanceof ChainBroken)) throw error
      broken.push(tenant)
      options.log.warn(
        { tenant, sequence: error.sequence },
        'The chain was changed after it was sealed; it is not signed',
      )
    }
  }
  return { made, broken }
}

class ChainBroken extends Error {
  readonly sequence: number

  constructor(sequence: number) {
    super(`Entry ${sequence} of the chain is not the one that was sealed.`)
    this.sequence = sequence
  }
}

async function lastLink({ store }: MakerOptions, tenant: string, covered: number): Promise<string> {
  const [last] = await store.checkpoints(tenant, covered - 1, 1)
  if (last === undefined) throw new ImagegateError('INTERNAL', 'A checkpoint has vanished.')
  return last.link
}

interface Wanted {
  readonly tenant: string
  readonly from: number
  readonly to: number
  /** Link of the entry before. */
  readonly link: string
}

/** The links of a segment, whose entries are checked; requests are served between two portions. */
async function segmentLinks({ store }: MakerOptions, { tenant, from, to, link }: Wanted): Promise<readonly string[]> {
  const links: string[] = []
  let previous = link
  for (let next = from; next <= to; ) {
    const entries = await store.entries(tenant, next - 1, Math.min(portion, to - next + 1))
    if (entries.length === 0) throw new ChainBroken(next)
    for (const entry of entries) {
      const sound = entry.sequence === next && entry.previousLink === previous && linkOf(entry) === entry.link
      if (!sound) throw new ChainBroken(next)
      links.push(entry.link)
      previous = entry.link
      next += 1
    }
    await nextTurn()
  }
  return links
}
