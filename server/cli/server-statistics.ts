import type { DayStatistics } from '../audit/statistics.ts'
import { answers, integer, object, text } from './answer-schemas.ts'
import type { Records } from './records.ts'
import { type Get, parseAnswer, unexpected } from './server-client.ts'

const period = { from: text, to: text }
const isDays = answers.compile<DayStatistics>(
  object({
    ...period,
    days: {
      type: 'array',
      items: object({ day: text, results: { type: 'object', additionalProperties: integer } }),
    },
  }),
)

interface Frequencies {
  readonly from: string
  readonly to: string
  readonly verdicts: number
}

function frequenciesOf(name: string, subject: string) {
  const rows = { type: 'array', items: object({ [subject]: text, verdicts: integer }) }
  return object({ ...period, verdicts: integer, [name]: rows })
}

const isRules = answers.compile<
  Frequencies & { readonly rules: readonly { readonly rule: string; readonly verdicts: number }[] }
>(frequenciesOf('rules', 'rule'))
const isFacts = answers.compile<
  Frequencies & { readonly facts: readonly { readonly pointer: string; readonly verdicts: number }[] }
>(frequenciesOf('facts', 'pointer'))

/** The given members of a query. */
function given(query: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** The statistics of a running imagegate. */
export function serverStatistics(get: Get): Pick<Records, 'days' | 'frequencies'> {
  return {
    async days(period, of) {
      const answer = parseAnswer(await get('v1/statistics/days', given({ ...period, ...of })))
      if (!isDays(answer)) throw unexpected('It did not answer with results by day.')
      return answer
    },
    async frequencies(period, of, limit) {
      const answer = parseAnswer(await get(`v1/statistics/${of}`, given({ ...period, limit: String(limit) })))
      if (of === 'rules' && isRules(answer)) {
        const { rules, ...rest } = answer
        return { ...rest, counts: rules.map(({ rule, verdicts }) => ({ subject: rule, verdicts })) }
      }
      if (of === 'facts' && isFacts(answer)) {
        const { facts, ...rest } = answer
        return { ...rest, counts: facts.map(({ pointer, verdicts }) => ({ subject: pointer, verdicts })) }
      }
      throw unexpected(`It did not answer with statistics of ${of}.`)
    },
  }
}
