import { GuestError } from '../guest.ts'

/** A value of LVM's metadata text. */
export type LvmValue = string | number | readonly LvmValue[] | LvmSection
/** A section: what stands in braces. */
export type LvmSection = ReadonlyMap<string, LvmValue>

const broken = () => new GuestError('damaged', 'The metadata of the volume group cannot be read.')

/** Tokens: strings in quotes, words and numbers, and single signs; comments are left out. */
function tokensOf(text: string): string[] {
  return (
    text.match(/"(?:[^"\\]|\\.)*"|[A-Za-z0-9_.+-]+|[{}[\]=,]|#[^\n]*/g)?.filter((one) => !one.startsWith('#')) ?? []
  )
}

/** Reads LVM's metadata text. Throws a GuestError (damaged). */
export function parseLvmText(text: string): LvmSection {
  const tokens = tokensOf(text)
  let at = 0
  const take = (): string => {
    const token = tokens[at]
    if (token === undefined) throw broken()
    at += 1
    return token
  }
  const scalar = (token: string): LvmValue => {
    if (token.startsWith('"')) return token.slice(1, -1)
    if (!/^-?\d+$/.test(token)) throw broken()
    return Number(token)
  }
  const list = (): LvmValue[] => {
    const values: LvmValue[] = []
    for (let token = take(); token !== ']'; token = take()) if (token !== ',') values.push(scalar(token))
    return values
  }
  const section = (depth: number): LvmSection => {
    const members = new Map<string, LvmValue>()
    if (depth > 8) throw broken()
    while (at < tokens.length && tokens[at] !== '}') {
      const name = take()
      const sign = take()
      if (sign === '{') {
        members.set(name, section(depth + 1))
        if (take() !== '}') throw broken()
      } else if (sign === '=') {
        const token = take()
        members.set(name, token === '[' ? list() : scalar(token))
      } else throw broken()
    }
    return members
  }
  return section(0)
}

/** A section in a section; undefined when it is not there. */
export function sectionOf(section: LvmSection | undefined, name: string): LvmSection | undefined {
  const value = section?.get(name)
  return value instanceof Map ? value : undefined
}

/** A whole number in a section; undefined when it is not there. */
export function numberOf(section: LvmSection | undefined, name: string): number | undefined {
  const value = section?.get(name)
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
