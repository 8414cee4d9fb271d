import { errorKinds, type ImagegateError } from '../errors.ts'
import { programVersion } from '../version.ts'
import { type Content, type Markup, markup } from './markup.ts'
import { outcomeText } from './outcome-text.ts'
import { type Answer, nameOf } from './report-answer.ts'
import { contentPolicy, style } from './report-html-style.ts'
import { verdictPart } from './report-html-verdict.ts'

const failure = 'COULD NOT RUN'

function errorPart(name: string, { code, message, problems }: ImagegateError, index: number): Markup {
  const { mend, title } = errorKinds[code]
  const items = problems.map((one) => markup`<li><code>${one.pointer ?? one.file}</code> ${one.message}</li>\n`)
  return markup`<article class="verdict" id="v${index}">
<header class="card banner could_not_run">
<p class="word">${failure}</p>
<h1>${name}</h1>
<p class="meaning">${title}: ${message}</p>
</header>
${items.length === 0 ? undefined : markup`<ul>${items}</ul>\n`}<p>${mend} <code>${code}</code></p>
</article>
`
}

/** Several answers begin with a table of them. */
function overview(answers: readonly Answer[]): Content {
  if (answers.length < 2) return undefined
  const rows = answers.map(({ place, verdict }, index) => {
    const word = verdict === undefined ? failure : outcomeText(verdict.outcome)
    const tone = verdict?.outcome ?? 'could_not_run'
    const told = verdict === undefined ? '' : `${verdict.counts.block} blocking, ${verdict.counts.warn} warnings`
    return markup`<tr><td><a href="#v${index}">${nameOf(place)}</a></td><td><span class="badge ${tone}">${word}</span></td><td>${told}</td></tr>\n`
  })
  return markup`<section class="verdict overview">
<h1>${answers.length} images</h1>
<div class="card scroll"><table><thead><tr><th scope="col">Image</th><th scope="col">Outcome</th><th scope="col">Findings</th></tr></thead>
<tbody class="cells">${rows}</tbody></table></div>
</section>
`
}

function titleOf(answers: readonly Answer[]): string {
  const [first] = answers
  if (first === undefined || answers.length > 1) return `imagegate: ${answers.length} images`
  return `${first.verdict === undefined ? failure : outcomeText(first.verdict.outcome)}: ${nameOf(first.place)}`
}

/** Answers as one HTML file that needs nothing else: no script, no address outside, for screen and paper, light and dark. */
export function htmlReport(answers: readonly Answer[]): string {
  const parts = answers.map(({ place, verdict, error }, index) =>
    verdict === undefined ? errorPart(nameOf(place), error, index) : verdictPart(nameOf(place), verdict, index),
  )
  const title = titleOf(answers)
  // The style is ours, its digest stands in the policy, and escaping would change it.
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style></style>
</head>
<body>
<main>
<p class="brand"><b>imagegate</b> · will this image import?</p>
${overview(answers)}${parts}<footer>imagegate ${programVersion()}. Facts that were not collected are never taken as met. The digests identify policy and facts; with them the verdict can be repeated.</footer>
</main>
</body>
</html>
`.text
  return page.replace('<style></style>', () => `<style>${style}</style>`)
}
