import type { Options } from '../documents/verdict.ts'
import { ImagegateError, type Problem } from '../errors.ts'

/** The options of an evaluation as they were given. */
export interface GivenOptions {
  readonly importAs?: 'others-linux' | 'customized-linux'
  /** Requested system disk, in bytes. */
  readonly systemDiskBytes?: number
  readonly policyVersion?: string
  /** RFC 3339, UTC. */
  readonly asOf?: string
}

const names = ['importAs', 'systemDiskBytes', 'policyVersion', 'asOf']
const instant = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z)?$/

function parseInstant(text: string): string | undefined {
  if (!instant.test(text)) return undefined
  const date = new Date(text.length === 10 ? `${text}T00:00:00Z` : text)
  // Date accepts the 31st of a short month and means the next month's first.
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== text.slice(0, 10)) return undefined
  return date.toISOString()
}

/**
 * Checks options given as texts, by their names. A bare date as asOf is its midnight in UTC.
 * Throws OPTION_INVALID with every problem, or AS_OF_WITH_PIN.
 */
export function parseOptions(given: Readonly<Record<string, unknown>>): GivenOptions {
  const problems: Problem[] = []
  const say = (name: string, message: string) => problems.push({ pointer: `/${name}`, message: `${name} ${message}` })
  const { importAs, systemDiskBytes, policyVersion, asOf } = given
  for (const name of Object.keys(given)) if (!names.includes(name)) say(name.slice(0, 64), 'is no option.')
  if (importAs !== undefined && importAs !== 'others-linux' && importAs !== 'customized-linux') {
    say('importAs', 'is others-linux or customized-linux.')
  }
  const bytes =
    typeof systemDiskBytes === 'string' && /^[1-9]\d{0,15}$/.test(systemDiskBytes)
      ? Number(systemDiskBytes)
      : Number.NaN
  if (systemDiskBytes !== undefined && !Number.isSafeInteger(bytes))
    say('systemDiskBytes', 'is a positive number of bytes.')
  const version = typeof policyVersion === 'string' && /^\d{1,6}\.\d{1,6}\.\d{1,6}$/.test(policyVersion)
  if (policyVersion !== undefined && !version) say('policyVersion', 'is a semantic version such as 1.0.0.')
  const at = typeof asOf === 'string' ? parseInstant(asOf) : undefined
  if (asOf !== undefined && at === undefined)
    say('asOf', 'is a date, or an instant in UTC such as 2021-01-01T00:00:00Z.')
  if (problems.length > 0) {
    throw new ImagegateError('OPTION_INVALID', problems.map(({ message }) => message).join(' '), { problems })
  }
  if (asOf !== undefined && policyVersion !== undefined) {
    throw new ImagegateError('AS_OF_WITH_PIN', 'A pinned version needs no instant to be selected at.')
  }
  return {
    ...(importAs === 'others-linux' || importAs === 'customized-linux' ? { importAs } : {}),
    ...(systemDiskBytes === undefined ? {} : { systemDiskBytes: bytes }),
    ...(typeof policyVersion === 'string' ? { policyVersion } : {}),
    ...(at === undefined ? {} : { asOf: at }),
  }
}

/** The options as rules read them: what was not given is stated, not absent. */
export function resolveOptions(given: GivenOptions): Options {
  const { importAs = 'none', systemDiskBytes } = given
  if (systemDiskBytes === undefined) return { importAs, systemDisk: { requested: false } }
  return { importAs, systemDisk: { requested: true, sizeBytes: systemDiskBytes } }
}
