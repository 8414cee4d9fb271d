import type { Finding, MissingFact, Verdict } from '../documents/verdict.ts'
import { stages } from './finding-lines.ts'
import { type Content, type Markup, markup } from './markup.ts'
import { outcomeMeaning, outcomeText } from './outcome-text.ts'
import { headRows } from './report-head.ts'
import { findingCard } from './report-html-finding.ts'
import { findingsInOrder } from './report-order.ts'
import { notPassed, waiting } from './report-tail.ts'

interface Placed {
  readonly finding: Finding
  readonly id: string
}

function section(heading: string, content: readonly Content[]): Content {
  return content.length === 0 ? undefined : markup`<section>\n<h2>${heading}</h2>\n${content}</section>\n`
}

function tile(count: number, text: string, tone: string): Markup {
  return markup`<li class="${count === 0 ? 'zero' : tone}"><b>${count}</b>${text}</li>\n`
}

function tiles({ counts, missing }: Verdict, failed: number, unknown: number): Markup {
  return markup`<ul class="tiles">
${tile(failed, 'to mend', 'block')}${tile(unknown, 'undetermined', 'unknown')}${tile(missing.length, 'facts to collect', 'unknown')}${tile(counts.warn, 'warnings', 'warn')}${tile(counts.inform, 'notes', 'inform')}${tile(counts.pass, 'rules pass', 'pass')}${tile(counts.not_applicable, 'do not apply', 'zero')}</ul>\n`
}

function where({ remediation, result }: Finding): string {
  if (result === 'unknown') return 'collect what is missing'
  return remediation === undefined
    ? 'see below'
    : stages[remediation.stage].replace(/:$/, '').replace(/^./, (first) => first.toLowerCase())
}

function todo(placed: readonly Placed[]): Content {
  if (placed.length === 0) return markup`<p>Nothing has to be done before the import.</p>\n`
  const items = placed.map(({ finding, id }) => {
    return markup`<li><a href="#${id}">${finding.title}</a> <span class="where">(${where(finding)})</span></li>\n`
  })
  return markup`<p>These requirements are not met, or not known to be. Take them in this order:</p>\n<ol class="todo">${items}</ol>\n`
}

function reasonOf({ code, reason }: MissingFact): string {
  return [code, reason].filter((part) => part !== undefined).join(': ')
}

/** Facts that are missing for one reason and are collected in one way share a row. */
function missingTable({ missing }: Verdict): Content[] {
  if (missing.length === 0) return []
  const groups = new Map<string, MissingFact[]>()
  for (const fact of missing) {
    const key = JSON.stringify([reasonOf(fact), fact.collect])
    groups.set(key, [...(groups.get(key) ?? []), fact])
  }
  const rows = [...groups.values()].map((facts) => {
    const names = facts.map((fact) => markup`<p><code>${fact.pointer}</code> ${waiting(fact)}</p>\n`)
    const [first] = facts
    return markup`<tr><td>${names}</td><td>${first && reasonOf(first)}</td><td>${first?.collect}</td></tr>\n`
  })
  const head = ['Fact, and the rules that wait for it', 'Why it is missing', 'How to collect it']
  return [
    markup`<div class="card scroll"><table><thead><tr>${head.map((name) => markup`<th scope="col">${name}</th>`)}</tr></thead>
<tbody class="cells">${rows}</tbody></table></div>\n`,
  ]
}

function pairs(rows: readonly (readonly [string, Content])[]): Content[] {
  if (rows.length === 0) return []
  const lines = rows.map(([name, value]) => markup`<tr><th scope="row">${name}</th><td>${value}</td></tr>\n`)
  return [markup`<div class="card scroll"><table class="facts"><tbody>${lines}</tbody></table></div>\n`]
}

function subject(verdict: Verdict): Content[] {
  return pairs(headRows(verdict).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

function alternatives(verdict: Verdict): Content[] {
  return verdict.alternatives.map((one) => {
    return markup`<div class="card"><h3>Import as <code>${one.importAs}</code>: ${outcomeText(one.outcome)}</h3>
<p>${notPassed(one)}</p><p class="meta">${one.policy.family} ${one.policy.version}, ${one.policy.digest}</p></div>\n`
  })
}

function quiet({ findings }: Verdict): Content {
  const list = (result: Finding['result'], name: string) => {
    const found = findings.filter((finding) => finding.result === result)
    if (found.length === 0) return undefined
    const items = found.map(({ message, rule, title }) => {
      return markup`<li><code>${rule}</code>: ${message === undefined || message === '' ? title : message}</li>\n`
    })
    return markup`<details><summary>${name} (${found.length})</summary><ul>${items}</ul></details>\n`
  }
  return [list('pass', 'Rules that pass'), list('not_applicable', 'Rules that do not apply')]
}

/** One verdict as a part of a page; `index` makes its anchors its own. */
export function verdictPart(name: string, verdict: Verdict, index: number): Markup {
  const place = (finding: Finding, at: string) => ({ finding, id: `v${index}-${at}` })
  const blocking = findingsInOrder(verdict, 'block').map((finding, at) => place(finding, `block-${at}`))
  const failed = blocking.filter(({ finding }) => finding.result === 'fail')
  const unknown = blocking.filter(({ finding }) => finding.result === 'unknown')
  const cards = (placed: readonly Placed[]) => placed.map(({ finding, id }) => findingCard(finding, id))
  const plain = (effect: Finding['effect']) => {
    return cards(findingsInOrder(verdict, effect).map((finding, at) => place(finding, `${effect}-${at}`)))
  }
  const parameters = Object.entries(verdict.importParameters).map(
    ([key, value]) => [key, markup`<code>${value}</code>`] as const,
  )
  return markup`<article class="verdict" id="v${index}">
<header class="card banner ${verdict.outcome}">
<p class="word">${outcomeText(verdict.outcome)}</p>
<h1>${name}</h1>
<p class="meaning">${outcomeMeaning(verdict.outcome)}</p>
</header>
${tiles(verdict, failed.length, unknown.length)}${section('What to do', [markup`<div class="card">${todo(blocking)}</div>\n`])}${section(`To mend, in this order (${failed.length})`, cards(failed))}${section(`Undetermined (${unknown.length})`, cards(unknown))}${section(`Facts to collect (${verdict.missing.length})`, missingTable(verdict))}${section(`Warnings (${verdict.counts.warn})`, plain('warn'))}${section(`Notes (${verdict.counts.inform})`, plain('inform'))}${section('Alternatives', alternatives(verdict))}${section('Import parameters', pairs(parameters))}${section('What was judged, and by which rules', [subject(verdict), markup`<div class="card">${quiet(verdict)}</div>\n`])}</article>
`
}
