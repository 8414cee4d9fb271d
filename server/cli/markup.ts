import { safeText } from './escape.ts'

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text that is HTML or XML already, made by the tag below alone. */
class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type { Markup }

/** What may stand in markup; texts are escaped, and nothing stands for undefined. */
export type Content = string | number | Markup | undefined | readonly Content[]

function escaped(text: string): string {
  const valid = text.toWellFormed().replaceAll('\ufffe', '\\u{fffe}').replaceAll('\uffff', '\\u{ffff}')
  const lines = valid.split('\n').map((line) => safeText(line).replaceAll(/[&<>"']/g, (one) => entities[one] ?? ''))
  return lines.join('\n')
}

function contentText(content: Content): string {
  if (content === undefined) return ''
  if (content instanceof Markup) return content.text
  if (typeof content === 'string' || typeof content === 'number') return escaped(String(content))
  return content.map(contentText).join('')
}

/**
 * Tag for HTML and XML: whatever is interpolated is escaped, in content and in double-quoted attributes alike, and characters that could act
 * on a page or are no XML become visible escapes.
 */
export function markup(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(String.raw({ raw: strings }, ...contents.map(contentText)))
}
