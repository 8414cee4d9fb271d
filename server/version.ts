import { readFileSync } from 'node:fs'

function read(): string {
  const value: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return String(typeof value === 'object' && value !== null ? Reflect.get(value, 'version') : '')
}

let known: string | undefined

/** The version of this program. */
export function programVersion(): string {
  known ??= read()
  return known
}
