import { ImagegateError, type Problem } from '../errors.ts'
import { type GivenOptions, parseOptions } from '../evaluation/options.ts'
import { bytesOf } from './sizes.ts'
import { UsageError } from './usage.ts'

/** The options of an evaluation as the command line has them. */
export interface EvaluationFlags {
  readonly importAs?: string
  /** A size, such as 40GiB. */
  readonly systemDisk?: string
  readonly policyVersion?: string
  readonly asOf?: string
}

const flags: Readonly<Record<string, string>> = {
  importAs: '--import-as',
  systemDiskBytes: '--system-disk',
  policyVersion: '--policy-version',
  asOf: '--as-of',
}

function inFlags(problem: Problem): string {
  const name = problem.pointer?.slice(1) ?? ''
  return problem.message.replace(name, () => flags[name] ?? name)
}

function bytes(text: string): string {
  const exact = bytesOf(text)
  if (exact === undefined) {
    throw new UsageError('--system-disk is a number of bytes, or one with K, M, G, T, KiB, MiB, GiB or TiB (1024s).')
  }
  return exact
}

/** Checks the options. Throws a UsageError in the words of the command line, or AS_OF_WITH_PIN. */
export function givenOptions({ importAs, systemDisk, policyVersion, asOf }: EvaluationFlags): GivenOptions {
  const given = {
    ...(importAs === undefined ? {} : { importAs }),
    ...(systemDisk === undefined ? {} : { systemDiskBytes: bytes(systemDisk) }),
    ...(policyVersion === undefined ? {} : { policyVersion }),
    ...(asOf === undefined ? {} : { asOf }),
  }
  try {
    return parseOptions(given)
  } catch (error) {
    if (!(error instanceof ImagegateError) || error.code !== 'OPTION_INVALID') throw error
    throw new UsageError(error.problems.map(inFlags).join(' '))
  }
}
