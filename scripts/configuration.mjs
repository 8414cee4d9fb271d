import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

// Writes the table of environment variables in docs/operations.md from the settings that the program declares:
// `npm run build && node scripts/configuration.mjs`. A test compares the two.

const page = new URL('../docs/operations.md', import.meta.url)
const [begin, end] = ['<!-- settings: begin -->\n', '<!-- settings: end -->']

/** The settings as a Markdown table. */
export function configurationTable(settings) {
  const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
  const rows = settings.map((one) => `| \`${one.name}\` | ${cell(one.default)} | ${cell(one.description)} |\n`)
  return `| variable | default | what it is |\n|---|---|---|\n${rows.join('')}`
}

/** A page with the table between its two marks. */
export function withTable(text, table) {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error('docs/operations.md lacks the marks of the table of settings.')
  return text.slice(0, from) + begin + table + text.slice(to)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { settings } = await import('../dist/settings.js')
  writeFileSync(page, withTable(readFileSync(page, 'utf8'), configurationTable(settings)))
  process.stdout.write(`${fileURLToPath(page)}\n`)
}
