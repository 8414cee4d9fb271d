import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import t from 'tap'
import { parseTemplate, renderTemplate } from '../../server/policy/template.ts'
import { quotePosix, quotePowerShell, quoteText } from '../../server/policy/text.ts'
import { seed } from '../support/long.ts'

const bidi = '\u202e\u2066'
const hostile = [
  "a'; rm -rf / #",
  '$(touch pwned)`touch pwned`',
  '"; Remove-Item C:\\ #',
  '\u001b[2J\u001b]0;title\u0007',
  `invoice${bidi}fdp.exe`,
  '<script>alert(1)</script>&amp;',
  '-rf',
  'line\nbreak\r\ttab\u0000nul\u0085\u2028',
  "quotes ‘ ’ ‚ ‛ '",
  '\\x41\\u0041 %s ${IFS} \ufeff\u200b\u{e0041}',
  '',
]

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not appear
const dangerous = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

t.comment(`seed ${seed}`)

t.test('a quoted text holds nothing that acts on a terminal, a page or a reader', async (t) => {
  for (const text of hostile) {
    t.notMatch(quoteText(text), dangerous)
    t.notMatch(quoteText(text), /[<>&]/)
  }
  t.equal(quoteText('a"b\\c\u202e'), '"a\\"b\\\\c\\u{202e}"')
  t.ok(quoteText('x'.repeat(1000)).length < 300)
})

/** What sh and bash make of a word. NUL cannot be in an argument at all, and $'…' is a bash (and POSIX.1-2024) word. */
function wordsOf(shell: string, word: string): string {
  return execFileSync(shell, ['-c', `printf '%s|' ${word}`], { encoding: 'utf8', env: { LC_ALL: 'C.UTF-8' } })
}

t.test('a POSIX word is one argument with the same text', async (t) => {
  for (const text of hostile.filter((one) => !one.includes('\0'))) {
    const expected = text.startsWith('-') ? `./${text}` : text
    t.equal(wordsOf('bash', quotePosix(text)), `${expected}|`)
    t.notMatch(quotePosix(text), dangerous)
  }
  t.notMatch(quotePosix('a\0b'), dangerous)
})

t.test('a POSIX word runs nothing, even in a shell that does not know escapes', async (t) => {
  for (const text of hostile.filter((one) => !one.includes('\0'))) {
    t.match(wordsOf('sh', quotePosix(text)), /^[^|]*\|$/s, 'one argument')
  }
})

t.test('any text survives bash unchanged', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 }).filter((one) => !one.includes('\0') && !one.startsWith('-'))
  const list = fc.array(text, { minLength: 20, maxLength: 20 })
  fc.assert(
    fc.property(
      list,
      (texts) => wordsOf('bash', texts.map(quotePosix).join(' ')) === texts.map((one) => `${one}|`).join(''),
    ),
    { seed, numRuns: 20 },
  )
})

t.test('PowerShell arguments double every kind of single quote and spell out what is invisible', async (t) => {
  t.equal(quotePowerShell("it's ‘so’"), "'it''s ‘‘so’’'")
  t.equal(quotePowerShell('a\nb'), "('a' + [char]::ConvertFromUtf32(0xa) + 'b')")
  t.equal(quotePowerShell('$(calc) `x'), "'$(calc) `x'")
  for (const text of hostile) t.notMatch(quotePowerShell(text), dangerous)
})

const scope = {
  facts: {
    schema: 'imagegate.facts/1' as const,
    collection: { sources: [] },
    image: { name: "it's", virtualSizeBytes: 42949672959 },
  },
  request: { importAs: 'none' as const, systemDisk: { requested: false } },
  parameters: { names: ['a', 'b'] },
}
const none = { selected: [], undecided: [] }

t.test('a template quotes values for people and for shells', async (t) => {
  const render = (text: string, quoting: 'text' | 'posix' | 'powershell') =>
    renderTemplate(parseTemplate(text), scope, none, quoting)
  t.equal(render('Image {/image/name}.', 'text'), 'Image "it\'s".')
  t.equal(render('qemu-img info {/image/name}', 'posix'), "qemu-img info 'it'\\''s'")
  t.equal(render('Get-Item {/image/name}', 'powershell'), "Get-Item 'it''s'")
  t.equal(
    render('{/image/virtualSizeBytes|bytes}', 'text'),
    '39.99 GiB (42949672959 bytes)',
    'rounded down, never up to a bound',
  )
  t.equal(render('{/parameters/names|list}', 'text'), '"a", "b"')
  t.equal(render('{/os/id}', 'text'), '(not collected)')
  t.equal(render('fix {/os/id}', 'posix'), "fix 'VALUE-NOT-COLLECTED'")
})
