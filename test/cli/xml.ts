/** One tag of an XML text. */
export interface Tag {
  readonly kind: 'open' | 'close' | 'empty'
  readonly name: string
  /** The tag as written. */
  readonly text: string
}

const entity = /&(?:amp|lt|gt|quot|#39);/g
const characters: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
}

function plain(text: string): string {
  const rest = text.replaceAll(entity, '')
  if (/[&<>]/.test(rest)) throw new Error(`Not escaped: ${text}`)
  return text.replaceAll(entity, (one) => characters[one] ?? '')
}

/** The attributes of a tag; throws for what is not well-formed. */
export function attributesOf(tag: string): ReadonlyMap<string, string> {
  const inner = tag.replace(/^<[\w-]+/, '').replace(/\/?>$/, '')
  const found = [...inner.matchAll(/\s+([\w-]+)="([^"]*)"/gy)]
  if (found.map(([all]) => all).join('') !== inner) throw new Error(`Not well-formed: ${tag}`)
  return new Map(found.map(([, name, value]) => [name ?? '', plain(value ?? '')]))
}

/** The tags of an XML text in order; throws for what is not well-formed. Knows elements, attributes and text, nothing else. */
export function parseXml(text: string): Tag[] {
  const body = text.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '')
  const tags: Tag[] = []
  const open: string[] = []
  for (const part of body.match(/<[^>]*>|[^<]+/g) ?? []) {
    if (!part.startsWith('<')) {
      plain(part)
      continue
    }
    const name = /^<\/?([\w-]+)/.exec(part)?.[1]
    if (name === undefined) throw new Error(`Not an element: ${part}`)
    const kind = part.startsWith('</') ? 'close' : part.endsWith('/>') ? 'empty' : 'open'
    if (kind === 'close') {
      if (open.pop() !== name) throw new Error(`Not nested: ${part}`)
    } else {
      attributesOf(part)
      if (kind === 'open') open.push(name)
    }
    tags.push({ kind, name, text: part })
  }
  if (open.length > 0) throw new Error(`Not closed: ${open.join(' ')}`)
  return tags
}

/** What a reader sees of a page: its text without tags, entities resolved. */
export function textOf(html: string): string {
  return html.replaceAll(/<[^>]*>/g, '').replaceAll(entity, (one) => characters[one] ?? '')
}
