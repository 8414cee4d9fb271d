import { safeLines, safeText } from './escape.ts'

const marks = /[\\`*_{}[\]<>|~&$]|:(?=\/\/)|(?<=www)\.|^[#+=-]|(?<=^\d{1,9})[.)]/gi
const references = /(@|#(?=\d)|GH(?=-\d))/i

/**
 * Text as GitHub-flavoured Markdown that shows exactly it, in a paragraph, heading, list or table: every mark is escaped, so that nothing
 * becomes a link, an image, HTML or a row. What would mention a person or an issue is broken up by code.
 */
export function markdownText(text: string): string {
  const parts = safeText(text.toWellFormed()).split(references)
  return parts.map((part, at) => (at % 2 === 1 ? `<code>${part}</code>` : part.replaceAll(marks, '\\$&'))).join('')
}

/** Text as inline code, in a table too. */
export function markdownCode(text: string): string {
  // Backslashes, bars and backticks inside backticks are read differently in a table.
  return /^[^\\|`\s]+$/.test(safeText(text)) ? `\`${safeText(text)}\`` : `<code>${markdownText(text)}</code>`
}

/** Lines as a block of code, which nothing in them can end; `indent` is that of the list item it stands in. */
export function markdownBlock(text: string, language: string, indent = ''): string[] {
  const lines = safeLines(text.toWellFormed()).split('\n')
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return [`${fence}${language}`, ...lines, fence].map((line) => `${indent}${line}`.trimEnd())
}
