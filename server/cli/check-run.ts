import { turns } from '../collector/turns.ts'
import type { Verdict } from '../documents/verdict.ts'
import { ImagegateError } from '../errors.ts'
import type { Judge } from './check-judge.ts'
import type { Collect } from './collect-image.ts'
import { progressOn } from './collect-progress.ts'
import { type ExitCode, exitCodeOf, exitCodes, type FailLevel, worse } from './exit.ts'
import { outcomeText } from './outcome-text.ts'
import type { Output } from './output.ts'
import type { Answer } from './report-answer.ts'
import type { VerdictWriter } from './verdict-writer.ts'

/** What checking images works with. */
export interface CheckRun {
  readonly collect: Collect
  /** Asked for once, while the first image is read; when it cannot be had, reading is stopped. */
  readonly judge: () => Promise<Judge>
  readonly writer: VerdictWriter
  readonly signal: AbortSignal
  readonly stderr: Output
  /** Whether to tell each outcome in a line of standard error, because the report goes elsewhere. */
  readonly brief: boolean
  /** Images that are read at the same time. */
  readonly jobs: number
  readonly failOn: FailLevel
}

function brief(name: string, { counts, outcome }: Verdict): string {
  return `${name}: ${outcomeText(outcome)} (${counts.block} block, ${counts.warn} warn, ${counts.pass} of ${counts.rules} pass)`
}

/** Checks every image and writes the answers in the images' order. Resolves with the worst exit code. */
export async function checkImages(images: readonly string[], run: CheckRun): Promise<ExitCode> {
  const { collect, writer, stderr, failOn } = run
  const useless = new AbortController()
  const signal = AbortSignal.any([run.signal, useless.signal])
  let ask: () => void = () => undefined
  const judging = new Promise<void>((resolve) => {
    ask = resolve
  }).then(run.judge)
  judging.catch(() => useless.abort())
  const progress = progressOn(stderr)
  const turn = turns(run.jobs)
  let done = 0
  const show = (image: string, step: string) => {
    progress.show(images.length > 1 ? `[${done}/${images.length}] ${image}: ${step}` : `${image}: ${step}`)
  }
  const answer = async (image: string): Promise<Answer> => {
    const place = { file: image }
    try {
      // Loading what judges would keep the longest reading from being begun, so it comes behind that.
      const document = await collect(image, signal, (step) => show(image, step), progress.say, ask)
      show(image, 'policy')
      ask()
      const judge = await judging
      return { place, verdict: await judge(document) }
    } catch (error) {
      if (error instanceof ImagegateError) return { place, error }
      throw error
    } finally {
      ask()
      done += 1
    }
  }
  const answers = images.map((image) => turn(() => answer(image)))
  for (const one of answers) one.catch(() => undefined)
  try {
    await judging
  } catch (error) {
    await Promise.allSettled(answers)
    throw error
  }
  let exit: ExitCode = exitCodes.ready
  for (const one of answers) {
    const { place, verdict, error } = await one
    progress.clear()
    exit = worse(exit, verdict === undefined ? exitCodes.couldNotRun : exitCodeOf(verdict.outcome, failOn))
    if (verdict === undefined) await writer.problem(place, error)
    else await writer.verdict(place, verdict)
    if (run.brief && verdict !== undefined) progress.say(brief(place.file, verdict))
  }
  progress.clear()
  return exit
}
