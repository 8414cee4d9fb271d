import type { FactDocument } from '../documents/facts.ts'
import type { Verdict } from '../documents/verdict.ts'
import { judge } from '../evaluation/judge.ts'
import type { GivenOptions } from '../evaluation/options.ts'
import { parseFacts } from '../facts/parse.ts'
import { loadPolicies } from '../policy/load.ts'
import { loadSource, policySource } from '../policy/load-source.ts'
import { matches, prepareValidator } from '../schemas.ts'
import { parseAnswer, senderOf, unexpected } from './server-client.ts'
import type { ServerPlace } from './server-place.ts'
import type { Terminal } from './terminal.ts'

/** Turns collected facts into a verdict. Rejects with an ImagegateError. */
export type Judge = (document: FactDocument) => Promise<Verdict>

/** Judges by policies of this machine: those of the folder, released or not, else the configured ones. */
export async function offlineJudge(
  folder: string | undefined,
  given: GivenOptions,
  terminal: Terminal,
): Promise<Judge> {
  const policies =
    folder === undefined
      ? (await loadSource(policySource(terminal.config()))).set
      : await loadPolicies(folder, { released: false })
  // The time until the facts are there is free.
  prepareValidator('facts')
  return async (document) => {
    const facts = parseFacts(Buffer.from(JSON.stringify(document)))
    return judge(policies, facts, given, terminal.now()).verdict
  }
}

/** Lets a server judge and record. Throws a UsageError for what is no address. */
export function serverJudge(server: ServerPlace, given: GivenOptions): Judge {
  const send = senderOf(server)
  const query = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]))
  return async (document) => {
    const answer = parseAnswer(await send('v1/evaluations', query, JSON.stringify(document)))
    if (!matches('verdict', answer)) throw unexpected('It did not answer with a verdict.')
    return answer
  }
}
