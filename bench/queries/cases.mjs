// Every documented query of the record, each filter with a common and a rare value. What the API documents and no case
// asks for is a fault, so that a new query or filter cannot be forgotten.
import { rareWord, timeOf } from './documents.mjs'

/** Operations of these tags read the record, and those on a candidate. */
const recordTags = ['audit']
const isOfRecord = (path, { tags = [] }) => tags.some((tag) => recordTags.includes(tag)) || path.includes('/candidate')

const ofVerdicts = (column) =>
  `SELECT ${column} AS value, count(*) AS verdicts FROM verdicts WHERE tenant = $1 AND ${column} IS NOT NULL GROUP BY 1`

/** How often each value of a filter stands in the record. */
const valuesOf = {
  outcome: ofVerdicts('outcome'),
  family: ofVerdicts('family'),
  osType: ofVerdicts('os_type'),
  osId: ofVerdicts('os_id'),
  imageName: ofVerdicts('image_name'),
  imageDigest: ofVerdicts('image_digest'),
  policyVersion: ofVerdicts('policy_version'),
  caller: ofVerdicts('caller'),
  requestId: ofVerdicts('request_id'),
  failedRule:
    "SELECT rule AS value, count(*) AS verdicts FROM findings WHERE tenant = $1 AND result = 'fail' GROUP BY 1",
  missingFact: 'SELECT pointer AS value, count(*) AS verdicts FROM missing_facts WHERE tenant = $1 GROUP BY 1',
  severity:
    "SELECT severity AS value, count(*) AS verdicts FROM finding_kinds WHERE tenant = $1 AND severity <> '' AND effect = '' GROUP BY 1",
  effect:
    "SELECT effect AS value, count(*) AS verdicts FROM finding_kinds WHERE tenant = $1 AND effect <> '' AND severity = '' GROUP BY 1",
  candidateRule: 'SELECT rule AS value, count(*) AS verdicts FROM shadow_differences WHERE tenant = $1 GROUP BY 1',
}

/** The most common and the rarest value of each filter, from the smallest database, with how many verdicts have it there. */
export async function findValues(ask) {
  const found = {}
  for (const [name, sql] of Object.entries(valuesOf)) {
    const rows = await ask(`SELECT value, verdicts FROM (${sql}) AS counted ORDER BY verdicts DESC, value`, ['default'])
    if (rows.length === 0) throw new Error(`The record has no value of ${name}.`)
    found[name] = { common: rows[0].value, rare: rows.at(-1).value }
  }
  return found
}

/** What differs from one database to the other: ids, and where its chain is half way. */
export async function findPlaces(ask) {
  const [{ id: newest }] = await ask('SELECT id FROM verdicts WHERE tenant = $1 ORDER BY id DESC LIMIT 1', ['default'])
  const [{ covered }] = await ask('SELECT max(sequence) AS covered FROM checkpoints WHERE tenant = $1', ['default'])
  const middle = Math.floor(Number(covered) / 2)
  const [{ id }] = await ask('SELECT verdict_id AS id FROM chain WHERE tenant = $1 AND sequence = $2', [
    'default',
    middle,
  ])
  return { newest, middle, id, covered: Number(covered) }
}

const day = 86_400_000

/** A list of verdicts with filters. */
const list = (filter) => `/v1/verdicts?${new URLSearchParams(filter)}`

/** The cases on a database: a name, what is asked, and perhaps another tenant or that the page after the first is asked for. */
export function casesOf(openapi, values, { newest, middle, id, covered }, count) {
  const before = (milliseconds) => new Date(timeOf(count - 1).getTime() - milliseconds).toISOString()
  const given = {
    from: { common: before(20 * day), rare: before(600_000) },
    to: { common: before(10 * day), rare: new Date(timeOf(0).getTime() + 3_600_000).toISOString() },
    text: { common: 'web', rare: rareWord },
  }
  const parameters = openapi.paths['/v1/verdicts'].get.parameters.map(({ name }) => name)
  const filters = parameters.filter((name) => name !== 'limit' && name !== 'cursor')
  const eachFilter = filters.flatMap((name) =>
    ['common', 'rare'].map((which) => {
      const value = (values[name] ?? given[name])?.[which]
      if (value === undefined) throw new Error(`The filter ${name} has no ${which} value in bench/queries/cases.mjs.`)
      return [`${name}, ${which}`, list({ [name]: value })]
    }),
  )
  const common = (...names) => Object.fromEntries(names.map((name) => [name, (values[name] ?? given[name]).common]))
  const rare = (...names) => Object.fromEntries(names.map((name) => [name, (values[name] ?? given[name]).rare]))
  const dayOf = (n, later = 0) => new Date(timeOf(n).getTime() + later).toISOString().slice(0, 10)
  // The period that is taken when none is given.
  const month = `from=${dayOf(count, -30 * day)}&to=${dayOf(count, day)}`
  const differences = '/v1/policies/windows-server/candidate/differences'
  const cases = [
    ['no filter', list({})],
    ['no filter, 500', list({ limit: '500' })],
    ['no filter, second page', list({}), { following: true }],
    ...eachFilter,
    ['failedRule, second page', list(common('failedRule')), { following: true }],
    ['text that is nowhere', list({ text: 'xylophone' })],
    ['text of common parts that is nowhere', list({ text: 'web-db' })],
    ['outcome, family and the last month', list({ ...common('outcome', 'family'), from: before(30 * day) })],
    ['caller and one day of ten ago', list({ ...common('caller'), from: before(11 * day), to: before(10 * day) })],
    ['severity and outcome', list({ severity: 'block', outcome: 'not_ready' })],
    ['severity and effect', list({ severity: 'block', effect: 'block' })],
    ['severity and an outcome that it excludes', list({ severity: 'block', effect: 'block', outcome: 'ready' })],
    ['failedRule and effect', list({ ...common('failedRule'), effect: 'block' })],
    ['failedRule and an osId that it seldom meets', list({ ...common('failedRule', 'osId') })],
    ['failedRule and rare osId', list({ ...common('failedRule'), ...rare('osId') })],
    ['severity and rare caller', list({ severity: 'block', ...rare('caller') })],
    ['missingFact and family', list(common('missingFact', 'family'))],
    ['missingFact and rare failedRule', list({ ...common('missingFact'), ...rare('failedRule') })],
    ['osType and rare outcome', list({ ...common('osType'), ...rare('outcome') })],
    ['imageName and rare outcome', list({ ...common('imageName'), ...rare('outcome') })],
    ['text and outcome', list(common('text', 'outcome'))],
    ['text and rare failedRule', list({ ...common('text'), ...rare('failedRule') })],
    [
      'eleven filters, common',
      list(
        common(
          ...[
            'outcome',
            'family',
            'osType',
            'osId',
            'policyVersion',
            'failedRule',
            'missingFact',
            'severity',
            'effect',
          ],
          ...['caller', 'text'],
        ),
      ),
    ],
    ['text and rare caller', list({ ...common('text'), ...rare('caller') })],
    ['small tenant, no filter', list({}), { tenant: 'guests' }],
    ['small tenant, outcome', list(common('outcome')), { tenant: 'guests' }],
    ['small tenant, text', list({ text: 'web' }), { tenant: 'guests' }],
    ['small tenant, rare text', list({ text: rareWord }), { tenant: 'guests' }],
    ['timeline by name, common', `/v1/timeline?${new URLSearchParams(common('imageName'))}`],
    ['timeline by name, rare', `/v1/timeline?${new URLSearchParams(rare('imageName'))}`],
    ['timeline by digest, common', `/v1/timeline?${new URLSearchParams(common('imageDigest'))}`],
    [
      'timeline by both, second page',
      `/v1/timeline?${new URLSearchParams(common('imageName', 'imageDigest'))}`,
      { following: true },
    ],
    ['timeline, 50', `/v1/timeline?${new URLSearchParams({ ...common('imageName'), limit: '50' })}`],
    ['changes from the begin', '/v1/changes?after=0'],
    ['changes from the middle, 500', `/v1/changes?after=${middle}&limit=500`],
    ['changes at the end', `/v1/changes?after=${covered + 1_000_000}&wait=0`],
    ['checkpoints from the begin', '/v1/checkpoints'],
    ['checkpoints from the middle', `/v1/checkpoints?after=${middle}&limit=50`],
    ['verdict', `/v1/verdicts/${newest}`],
    ['facts', `/v1/verdicts/${id}/facts`],
    ['evidence', `/v1/verdicts/${id}/evidence`],
    ['replay', `/v1/verdicts/${id}/replay`],
    ['proof', `/v1/verdicts/${id}/proof`],
    ['reads', '/v1/reads'],
    ['reads, second page', '/v1/reads?limit=20', { following: true }],
    ['reads by caller', '/v1/reads?caller=anonymous'],
    ['reads by operation', '/v1/reads?operation=listVerdicts'],
    ['reads of a verdict', `/v1/reads?verdict=${id}`],
    ['reads from and to', `/v1/reads?from=${new Date(Date.now() - day).toISOString()}&to=${new Date().toISOString()}`],
    ['statistics by day', `/v1/statistics/days?${month}`],
    ['statistics by day, one family', `/v1/statistics/days?${month}&family=linux`],
    ['statistics by day of a rule', `/v1/statistics/days?${month}&rule=${values.failedRule.common}`],
    ['statistics by day of a fact', `/v1/statistics/days?${month}&${new URLSearchParams(common('missingFact'))}`],
    ['statistics of rules', `/v1/statistics/rules?${month}`],
    ['statistics of rules, one family', `/v1/statistics/rules?${month}&family=linux&result=unknown&limit=50`],
    ['statistics of facts', `/v1/statistics/facts?${month}`],
    ['statistics of facts, one family', `/v1/statistics/facts?${month}&family=linux&limit=50`],
    ['candidate', '/v1/policies/windows-server/candidate'],
    ['candidate, differences', differences],
    ['candidate, from and to', `${differences}?from=not_ready&to=ready`],
    ['candidate, rule, common', `${differences}?rule=${values.candidateRule.common}&limit=50`],
    ['candidate, rule, rare', `${differences}?rule=${values.candidateRule.rare}`],
    [
      'candidate, rule and a change that it seldom meets',
      `${differences}?rule=${values.candidateRule.common}&from=not_ready&to=ready`,
    ],
    ['candidate, second page', differences, { following: true }],
  ].map(([name, url, options = {}]) => ({ name, url, ...options }))
  const forgotten = uncovered(openapi, cases)
  if (forgotten.length > 0) throw new Error(`bench/queries/cases.mjs has no case of ${forgotten.join(', ')}.`)
  return cases
}

/** Documented queries of the record, and their parameters, that no case asks for. */
function uncovered({ paths }, cases) {
  return Object.entries(paths).flatMap(([path, { get }]) => {
    if (get === undefined || !isOfRecord(path, get)) return []
    const pattern = new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`)
    const asked = cases.filter(({ url }) => pattern.test(url.split('?')[0]))
    if (asked.length === 0) return [path]
    return (get.parameters ?? [])
      .filter(({ in: place, name }) => place === 'query' && !asked.some((one) => asks(one, name)))
      .map(({ name }) => `${path}?${name}`)
  })
}

const asks = ({ url, following }, name) =>
  new URLSearchParams(url.split('?')[1]).has(name) || (following === true && name === 'cursor')
