import { rm } from 'node:fs/promises'
import { canonicalize, sha256 } from '../digest.ts'
import type { PolicyImpact } from '../documents/policy-impact.ts'
import { ImagegateError } from '../errors.ts'
import { inOrder } from '../in-order.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import type { ImpactSource, ItemResult, Portion } from './impact-item.ts'
import { ReplayPool } from './impact-pool.ts'
import type { LineSelection } from './impact-replay.ts'
import { keeper, type Sample, sampleBound } from './impact-sample.ts'
import { ImpactSpool } from './impact-spool.ts'
import { readState, writeState } from './impact-state.ts'
import { type ImpactHead, ImpactTally } from './impact-tally.ts'
import type { WorkSetup } from './impact-work.ts'

/** What is asked. */
export interface ImpactRequest {
  readonly candidate: ReleasedPolicy
  /** What fact documents without a verdict are judged by before. */
  readonly baseline?: ReleasedPolicy
  readonly kind: PolicyImpact['source']
  /** Tells this source from others, so that a run is resumed on the same one. */
  readonly place: string
  readonly source: ImpactSource
  /** Where listed verdicts are read. */
  readonly database?: WorkSetup['database']
  readonly selection: LineSelection
  readonly sample?: Sample
  readonly seed: number
  /** Greatest number of changed outcomes, or a share of those replayed such as 5%. */
  readonly allowed: string
  /** Threads that evaluate. */
  readonly workers: number
  /** File that keeps how far the run has come. */
  readonly resume?: string
  /** Told after every portion. */
  readonly progress: (counts: Readonly<PolicyImpact['counts']>) => void
}

/** What came of it; its changed verdicts are read from a file, because they may be many. */
export interface Impact {
  /** Its list of changed verdicts is empty. */
  readonly report: PolicyImpact
  /** The changed verdicts as JSON texts. */
  changed(): AsyncGenerator<string, void, void>
  /** Ends the run. What the file of `resume` keeps is removed, or kept so that the same run answers again at once. */
  close(keep: boolean): Promise<void>
}

/** Writing the state takes at most this share of the time, and a kill costs at most so many milliseconds of work. */
const stateShare = 0.05
const stateEvery = 2000

function policyOf({ family, version, digest }: ReleasedPolicy): PolicyImpact['candidate'] {
  return { family, version, digest }
}

function headOf(request: ImpactRequest): ImpactHead {
  const { candidate, baseline, kind, selection, sample, seed, allowed } = request
  const told = sample === undefined ? {} : { sample: 'count' in sample ? `${sample.count}` : percent(sample), seed }
  return {
    candidate: policyOf(candidate),
    ...(baseline && { baseline: policyOf(baseline) }),
    source: kind,
    selection: { ...selection, ...told },
    allowed,
  }
}

function percent({ share }: { readonly share: number }): string {
  return `${Number((share * 100).toPrecision(12))}%`
}

type Answered = { readonly portion: Portion } & (
  | { readonly results: readonly ItemResult[] }
  | { readonly error: unknown }
)

async function answered(pool: ReplayPool, portion: Portion): Promise<Answered> {
  try {
    return { portion, results: await pool.replay(portion.items) }
  } catch (error) {
    return { portion, error }
  }
}

async function count(results: readonly ItemResult[], tally: ImpactTally, spool: ImpactSpool): Promise<void> {
  for (const result of results) {
    if (result.kind === 'refused') throw new ImagegateError('OPTION_INVALID', result.detail)
    tally.add(result)
  }
  await spool.add(results.flatMap((result) => (result.kind === 'replayed' ? (result.changed ?? []) : [])))
}

/** Spool of a run that can be resumed. */
function spoolPath(resume: string): string {
  return `${resume}.changed`
}

/**
 * Evaluates recorded facts under a candidate and counts what changes. Reads ahead a few portions and holds no more;
 * a run with `resume` that is killed goes on where its state says and ends with the same result.
 * Throws what the source throws, and OPTION_INVALID for a line or a state with which it cannot go on.
 */
export async function policyImpact(request: ImpactRequest): Promise<Impact> {
  const { candidate, baseline, source, selection, sample, seed, workers, resume, place, database } = request
  const head = headOf(request)
  const run = sha256(canonicalize({ head, place }))
  const earlier = resume === undefined ? undefined : await readState(resume, run)
  const bound = earlier?.bound ?? (await sampleBound(sample, seed, () => source.keys()))
  const tally = new ImpactTally(head, earlier?.report)
  const spool = await ImpactSpool.open(resume && spoolPath(resume), earlier?.spooled)
  const policies = { candidate: candidate.policy, ...(baseline && { baseline: baseline.policy }) }
  const setup = { ...policies, selection, ...(database && { database }) }
  const pool = new ReplayPool(setup, workers)
  let next = 0

  const save = async (position: string | undefined) => {
    if (resume === undefined) return
    const begun = performance.now()
    await spool.sync()
    const at = position === undefined ? {} : { position }
    const report = tally.report()
    await writeState(resume, {
      schema: 'imagegate.policy-impact-state/1',
      run,
      bound,
      ...at,
      spooled: spool.bytes,
      report,
    })
    const now = performance.now()
    next = now + Math.min(stateEvery, (now - begun) / stateShare)
  }

  try {
    const finished = earlier !== undefined && earlier.position === undefined
    const portions = finished ? none() : source.portions(keeper(bound, seed), earlier?.position)
    for await (const one of inOrder(portions, (portion) => answered(pool, portion), 2 * workers + 1)) {
      if ('error' in one) throw one.error
      await count(one.results, tally, spool)
      tally.found(one.portion.found)
      request.progress(tally.counts)
      const { position } = one.portion
      if (position === undefined || performance.now() >= next) await save(position)
    }
    return {
      report: tally.report(),
      changed: () => spool.texts(),
      async close(keep) {
        await spool.close(keep)
        if (resume !== undefined && !keep) await rm(resume, { force: true })
      },
    }
  } catch (error) {
    await spool.close(true)
    throw error
  } finally {
    await pool.close()
  }
}

async function* none(): AsyncGenerator<Portion, void, void> {}
