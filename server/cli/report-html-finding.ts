import type { Evidence, Finding, Remediation } from '../documents/verdict.ts'
import { evidenceParts } from './evidence-text.ts'
import { shells, stages } from './finding-lines.ts'
import { type Content, type Markup, markup } from './markup.ts'

const effects = { block: 'blocks the import', warn: 'warning', inform: 'note', none: 'no effect' } as const

function evidenceTable(evidence: readonly Evidence[]): Content {
  if (evidence.length === 0) return undefined
  const rows = evidence.map((leaf) => {
    const { subject, found, wanted } = evidenceParts(leaf)
    return markup`<tr><td><code>${subject}</code></td><td>${found}</td><td>${wanted}</td></tr>\n`
  })
  return markup`<details><summary>Evidence: the comparisons that decided it (${evidence.length})</summary>
<div class="scroll"><table><thead><tr><th scope="col">Fact</th><th scope="col">Found</th><th scope="col">Compared with</th></tr></thead>
<tbody class="cells">${rows}</tbody></table></div></details>\n`
}

function remediationBlock({ command, shell, stage, steps }: Remediation): Markup {
  const name = shell === undefined ? '' : ` (${shells[shell]})`
  const block =
    command === undefined
      ? undefined
      : markup`<div><p class="label">Command${name} <span class="hint">one click selects all of it</span></p>
<pre tabindex="0"><code>${command.trimEnd()}</code></pre></div>\n`
  return markup`<div><p class="label">${stages[stage]}</p>
<ol class="steps">${steps.map((step) => markup`<li>${step}</li>\n`)}</ol></div>
${block}`
}

/** A finding that is no pass, as a card: what was found, why, what to do; `id` is its place in the page. */
export function findingCard(finding: Finding, id: string): Markup {
  const { collect, effect, evidence = [], message, remediation, requirements, result, rule, title } = finding
  const tone = result === 'unknown' && effect === 'block' ? 'unknown' : effect
  return markup`<article class="card finding ${tone}" id="${id}">
<h3>${title}</h3>
<p class="meta"><span class="badge">${result === 'unknown' ? 'unknown' : 'failed'}: ${effects[effect]}</span> <code>${rule}</code> <span>${requirements.join(', ')}</span></p>
<p>${message}</p>
${remediation === undefined ? undefined : remediationBlock(remediation)}${collect === undefined ? undefined : markup`<p><span class="label">To collect:</span> ${collect}</p>\n`}${evidenceTable(evidence)}</article>
`
}
