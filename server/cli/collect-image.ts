import type { Attestation } from '../collector/attest.ts'
import type { FactDocument } from '../documents/facts.ts'
import { ImagegateError } from '../errors.ts'
import type { CollectFlags } from './collect-options.ts'
import type { Terminal } from './terminal.ts'

/** Collects one image; rejects with an ImagegateError whatever went wrong. */
export type Collect = (
  image: string,
  signal: AbortSignal,
  onStep: (step: string) => void,
  onNotice: (notice: string) => void,
  onReading?: () => void,
) => Promise<FactDocument>

function known(error: unknown, image: string, signal: AbortSignal): ImagegateError {
  if (signal.aborted) return new ImagegateError('INTERRUPTED', `${image}: stopped by a signal before all was read.`)
  if (error instanceof ImagegateError) return error
  const kind = error instanceof Error ? error.name : 'an unknown error'
  return new ImagegateError('INTERNAL', `Collecting from ${image} ended with ${kind}.`, { cause: error })
}

/** Collecting as the command line asks for it, with what is attested. */
export async function collector(
  flags: CollectFlags,
  attestations: readonly Attestation[],
  terminal: Pick<Terminal, 'now'>,
): Promise<Collect> {
  // Other commands start without what collecting needs.
  const [{ collectImage }, { attest }] = await Promise.all([
    import('../collector/collect.ts'),
    import('../collector/attest.ts'),
  ])
  return async (image, signal, onStep, onNotice, onReading) => {
    try {
      const document = await collectImage(image, {
        signal,
        seconds: flags.timeLimit,
        digest: flags.digest === true,
        systemFiles: flags.systemFiles === true,
        now: () => terminal.now(),
        onStep,
        onNotice,
        ...(onReading ? { onReading } : {}),
      })
      return attest(document, attestations)
    } catch (error) {
      throw known(error, image, signal)
    }
  }
}
