import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { markdownBlock, markdownCode, markdownText } from '../../server/cli/markdown-text.ts'
import { contentPolicy } from '../../server/cli/report-html-style.ts'
import { changed, example, imagegate, releasedPolicies } from './support.ts'
import { attributesOf, parseXml, textOf } from './xml.ts'

const folder = t.testdir()
const environment = { IMAGEGATE_POLICIES: await releasedPolicies(join(folder, 'policies')) }
const evaluate = (args: readonly string[], given = {}) => imagegate(['evaluate', ...args], { environment, ...given })
const ready = example('linux/ready.json')
const faults = example('linux/several-faults.json')
const unreadable = example('unidentified/unreadable-system.json')
const formats = ['markdown', 'html', 'sarif', 'junit'] as const

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not appear
const acting = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

const attacks = [
  '$(reboot)`id`"; rm -rf / #',
  '\u001b[2J\u001b]0;t\u0007\u009b1m',
  '\u202egnp.exe\u2066',
  '</style></script><script>alert(1)</script><img src=x onerror=alert(2)>',
  '" onmouseover="alert(3)',
  ']]></failure><testcase name="forged"/><![CDATA[',
  '| a | b |\n\n# Title\n\n[link](https://evil.example/) ![i](https://evil.example/i.png) @someone #12 GH-3',
  'www.evil.example https://evil.example <https://evil.example> **bold** ```\n```',
  '{0} [text](https://evil.example/)',
  '\u0000\u0001\u000b\ufffe\uffff',
  '\ud83d\ude00 \u00e9\u0301',
]

function attacked(attack: string): string {
  return changed('linux/several-faults.json', (document) => {
    document['image'] = { ...document['image'], name: attack }
    document['os'] = { ...document['os'], id: 'plan9', name: attack }
    const [root] = Array.isArray(document['volumes']) ? document['volumes'] : []
    Object.assign(root, { device: attack, mountPoint: attack })
    document['collection'] = {
      ...document['collection'],
      missing: [{ pointer: '/accounts/root/passwordProperties', code: 'unverifiable', reason: attack }],
    }
  })
}

t.test('each format gives the exit code of the outcome', async (t) => {
  for (const format of formats) {
    t.equal((await evaluate([ready, '--format', format])).code, 0, format)
    t.equal((await evaluate([faults, '--format', format])).code, 1, format)
    t.equal((await evaluate([unreadable, '--format', format])).code, 2, format)
    const ran = await evaluate([ready, join(folder, 'none.json'), '--format', format])
    t.equal(ran.code, 3, format)
    t.match(ran.stdout, 'FILE_UNREADABLE', format)
  }
})

t.test('hostile strings are text in every format', async (t) => {
  const stdin = attacks.map(attacked).join('\n')
  for (const format of formats) {
    const ran = await evaluate(['--ndjson', '--format', format, '-'], { stdin })
    t.equal(ran.code, 1, format)
    t.equal(ran.stderr, '')
    t.notMatch(ran.stdout, acting, format)
    if (format === 'junit' || format === 'html') t.notMatch(ran.stdout, /[\ufffe\uffff]/, 'no XML')
    if (format === 'junit') checkXml(t, ran.stdout)
    if (format === 'sarif') t.equal(JSON.parse(ran.stdout).runs.length, 1)
    if (format === 'html') {
      t.notMatch(ran.stdout, /<(script|img|iframe|object|link|base|form|svg)\b/i)
      t.notMatch(ran.stdout, /<[^>]*\son[a-z]+=/i)
      t.equal(ran.stdout.split('</style>').length, 2, 'one style, ours')
    }
    if (format === 'markdown') {
      const outside = ran.stdout.replaceAll(/^( *)(`{3,})[^\n]*\n[\s\S]*?\n\1\2$/gm, '')
      t.notMatch(outside, /(?<!\\)<(?!\/?(code|details|summary)>)/)
      t.notMatch(outside, /(?<!\\)\]\(|https?:\/\/|www\.|(?<!>)@|^# /m)
    }
  }
})

function checkXml(t: Test, text: string) {
  const names = parseXml(text).filter(({ kind, name }) => kind !== 'close' && name === 'testcase')
  t.equal(names.length, Number(/<testsuites [^>]*tests="(\d+)"/.exec(text)?.[1]), 'no forged test case')
}

t.test('HTML is one file that asks for nothing', async (t) => {
  const { stdout } = await evaluate([faults, unreadable, '--format', 'html'])
  t.notMatch(stdout, /\b(src|srcset|action|data|poster)=|@import|url\(|<script/i)
  for (const [, target] of stdout.matchAll(/href="([^"]*)"/g)) {
    t.match(target, /^#v\d/)
    t.ok(stdout.includes(`id="${target?.slice(1)}"`), `${target} leads somewhere`)
  }
  t.ok(stdout.includes(contentPolicy.replaceAll("'", '&#39;')))
  t.match(contentPolicy, /^default-src 'none'; style-src 'sha256-/)
  const ids = [...stdout.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
  t.equal(new Set(ids).size, ids.length, 'every anchor stands once')
})

t.test('HTML tells a manager the outcome and an engineer the rest', async (t) => {
  const verdict = JSON.parse((await evaluate([faults])).stdout)
  const { stdout } = await evaluate([faults, '--format', 'html'])
  const shown = textOf(stdout.replace(/<style>[\s\S]*<\/style>/, ''))
  t.match(shown, 'NOT READY')
  t.ok(shown.includes(`${verdict.counts.pass}rules pass`))
  for (const { rule, remediation, result } of verdict.findings) {
    t.ok(shown.includes(rule), rule)
    if (result === 'fail' && remediation.command)
      t.ok(shown.includes(remediation.command.trimEnd()), 'the exact command')
  }
  for (const { pointer } of verdict.missing) t.ok(shown.includes(pointer))
  for (const digest of [verdict.policy.digest, verdict.factsDigest]) t.ok(shown.includes(digest))
  for (const name of Object.keys(verdict.importParameters)) t.ok(shown.includes(name))
})

t.test('SARIF has every rule as a result, with the kinds and levels of the standard', async (t) => {
  const files = [faults, unreadable, join(folder, 'gone file.json')]
  const verdicts = (await evaluate(files.slice(0, 2))).stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).verdict)
  const report = JSON.parse((await evaluate([...files, '--format', 'sarif'])).stdout)
  t.match(report, { $schema: /sarif-2\.1\.0/, version: '2.1.0', runs: { length: 1 } })
  const [run] = report.runs
  const { rules } = run.tool.driver
  t.equal(new Set(rules.map(({ id }: { id: string }) => id)).size, rules.length)
  t.equal(run.results.length, verdicts.flatMap(({ findings }) => findings).length)
  for (const [index, finding] of verdicts.flatMap(({ findings }) => findings).entries()) {
    const result = run.results[index]
    t.equal(result.ruleId, finding.rule)
    t.equal(rules[result.ruleIndex].id, finding.rule)
    const kinds: Record<string, string> = {
      pass: 'pass',
      fail: 'fail',
      unknown: 'open',
      not_applicable: 'notApplicable',
    }
    t.equal(result.kind, kinds[finding.result])
    const levels: Record<string, string> = { block: 'error', warn: 'warning', inform: 'note', none: 'none' }
    t.equal(result.level, finding.result === 'fail' ? levels[finding.effect] : 'none')
    t.ok(result.message.text.length > 0)
    t.notMatch(result.message.text, /(?<!\{)\{\d+\}(?!\})|(?<!\\)\[[^\]]*(?<!\\)\]\(/, 'no placeholder and no link')
    t.notMatch(result.locations[0].physicalLocation.artifactLocation.uri, /[\s<>"{}|\\^`]/)
  }
  const [invocation] = run.invocations
  t.equal(invocation.executionSuccessful, false)
  const notes = invocation.toolExecutionNotifications
  t.equal(notes.length, verdicts.flatMap(({ missing }) => missing).length + 1)
  t.match(notes.at(-1), { level: 'error', descriptor: { id: 'FILE_UNREADABLE' } })
  t.match(notes.at(-1).locations[0].physicalLocation.artifactLocation.uri, /gone%20file\.json$/)
})

t.test('SARIF of NDJSON tells the line', async (t) => {
  const one = changed('linux/ready.json', () => undefined)
  const report = JSON.parse((await evaluate(['--ndjson', '--format', 'sarif'], { stdin: `\n${one}\n` })).stdout)
  t.match(report.runs[0].results[0].locations[0].physicalLocation, {
    artifactLocation: { uri: 'stdin' },
    region: { startLine: 2 },
  })
})

t.test('in JUnit only a pass is green', async (t) => {
  for (const [failOn, sorts] of [
    ['not-ready', { failure: ['fail block'], error: ['unknown block'] }],
    ['warn', { failure: ['fail block', 'fail warn'], error: ['unknown block', 'unknown warn'] }],
  ] as const) {
    const args = [faults, example('windows-server/several-faults.json'), unreadable, '--fail-on', failOn]
    const lines = (await evaluate(args)).stdout.trimEnd().split('\n')
    const findings = lines.flatMap((line) => JSON.parse(line).verdict.findings)
    const tags = parseXml((await evaluate([...args, '--format', 'junit'])).stdout)
    const cases = tags.flatMap(({ kind, name }, index) => (kind !== 'close' && name === 'testcase' ? [index] : []))
    t.equal(cases.length, findings.length)
    for (const [at, index] of cases.entries()) {
      const { rule, result, effect } = findings[at]
      const inner = tags[index]?.kind === 'empty' ? undefined : tags[index + 1]?.name
      const sort = `${result} ${effect}`
      const failures: readonly string[] = sorts.failure
      const errors: readonly string[] = sorts.error
      const expected = failures.includes(sort) ? 'failure' : errors.includes(sort) ? 'error' : 'skipped'
      t.equal(inner, result === 'pass' ? undefined : expected, `${rule} ${sort}`)
      t.ok(
        attributesOf(tags[index]?.text ?? '')
          .get('name')
          ?.startsWith(`${rule}: `),
      )
    }
    for (const word of ['failure', 'error', 'skipped']) {
      const all = tags.filter(({ kind, name }) => kind !== 'close' && name === word).length
      const suites = attributesOf(tags.find(({ name }) => name === 'testsuites')?.text ?? '')
      t.equal(suites.get(word === 'skipped' ? word : `${word}s`), String(all))
    }
  }
})

t.test('Markdown shows exactly the text', async (t) => {
  t.equal(markdownText('a_b *c* <d> [e](f) |g|'), 'a\\_b \\*c\\* \\<d\\> \\[e\\](f) \\|g\\|')
  t.equal(markdownText('# x'), '\\# x')
  t.equal(markdownText('12. x'), '12\\. x')
  t.equal(markdownText('https://x.example'), 'https\\://x.example')
  t.equal(markdownText('@a#1'), '<code>@</code>a<code>#</code>1')
  t.equal(markdownCode('/a/b'), '`/a/b`')
  t.equal(markdownCode('a`|b'), '<code>a\\`\\|b</code>')
  t.same(markdownBlock('a\n````\nb', 'sh'), ['`````sh', 'a', '````', 'b', '`````'])
  const verdict = JSON.parse((await evaluate([faults])).stdout)
  const { stdout } = await evaluate([faults, '--format', 'markdown'])
  t.ok(stdout.startsWith('## NOT READY: '))
  for (const { rule } of verdict.findings) t.ok(stdout.includes(`\`${rule}\``), rule)
  const tables = stdout.split('\n').filter((line) => line.startsWith('|'))
  for (const line of tables) t.match(line, /^\| .* \|$/)
})

t.test('several documents are one document of each format', async (t) => {
  const file = join(folder, 'fleet.ndjson')
  const one = changed('linux/ready.json', () => undefined)
  writeFileSync(file, `${one}\n${one}\n`)
  const html = await evaluate([file, '--format', 'html'])
  t.match(html.stdout, /<h1>2 images<\/h1>/)
  t.match(html.stdout, 'fleet.ndjson:2')
  const junit = await evaluate([file, '--format', 'junit'])
  t.equal(junit.stdout.match(/<testsuite /g)?.length, 2)
})
