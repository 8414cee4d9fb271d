import { readFile } from 'node:fs/promises'
import type { PolicyImpact } from '../documents/policy-impact.ts'
import { ImagegateError } from '../errors.ts'
import { replaceFile } from '../replace-file.ts'
import { matches } from '../schemas.ts'
import { strictAjv } from '../validators.ts'

/** How far a run has come; with the spool beside it, all that a later run needs. */
export interface ImpactState {
  readonly schema: 'imagegate.policy-impact-state/1'
  /** Digest of everything that the result depends on, so that no other run goes on from here. */
  readonly run: string
  /** Bound of the sample. */
  readonly bound: number
  /** Where the source goes on; absent at its end. */
  readonly position?: string
  /** Bytes of the spool that are counted. */
  readonly spooled: number
  /** What was counted, its list of changed verdicts empty. */
  readonly report: PolicyImpact
}

const check = strictAjv(false).compile<Omit<ImpactState, 'report'> & { report: unknown }>({
  type: 'object',
  additionalProperties: false,
  required: ['schema', 'run', 'bound', 'spooled', 'report'],
  properties: {
    schema: { const: 'imagegate.policy-impact-state/1' },
    run: { type: 'string' },
    bound: { type: 'number', minimum: 0, maximum: 1 },
    position: { type: 'string', maxLength: 8192 },
    spooled: { type: 'integer', minimum: 0 },
    report: { type: 'object' },
  },
})

function parse(text: string): ImpactState | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!check(value)) return undefined
  const { report, ...rest } = value
  return matches('policy-impact', report) ? { ...rest, report } : undefined
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'code') === 'ENOENT'
}

/** The state of an earlier run, undefined when there is none. Throws FILE_UNREADABLE, or OPTION_INVALID when it is of another run. */
export async function readState(path: string, run: string): Promise<ImpactState | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (isMissing(cause)) return undefined
    throw new ImagegateError('FILE_UNREADABLE', `${path} cannot be read.`, { cause })
  }
  const state = parse(text)
  if (state === undefined) {
    throw new ImagegateError('OPTION_INVALID', `${path} is not the state of a run: name another file.`)
  }
  if (state.run === run) return state
  const detail = `${path} is the state of a run with another candidate, source or selection: remove it, or name another file.`
  throw new ImagegateError('OPTION_INVALID', detail)
}

/** Replaces the state in one step, so that a kill at any time leaves the last one or this one, and never a part. */
export async function writeState(path: string, state: ImpactState): Promise<void> {
  await replaceFile(path, `${JSON.stringify(state)}\n`, 0o600)
}
