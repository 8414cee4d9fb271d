import { quoteText } from '../policy/text.ts'

/** An operating system as the facts name it, safe to show. */
export function systemText(type?: string | null, id?: string | null, version?: string | null): string {
  if (type === undefined || type === null) return 'not identified'
  const named = [id, version].flatMap((part) => (part === undefined || part === null ? [] : [quoteText(part)]))
  return [type, ...named].join(' ')
}
