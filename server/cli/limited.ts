import { type Command, InvalidArgumentError, Option } from 'commander'

/** How much of a list is shown. */
export interface LimitOptions {
  readonly limit: number
  readonly all?: true
}

/** Rows that a page holds at most. */
const maxPage = 500

function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 1.')
  return Number(text)
}

/** Reads a whole number from 1 to a greatest. */
export function upTo(most: number): (text: string) => number {
  return (text) => {
    const number = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : most + 1
    if (number > most) throw new InvalidArgumentError(`It is a whole number from 1 to ${most}.`)
    return number
  }
}

/** Adds --limit and --all. */
export function addLimitOptions(command: Command): Command {
  return command
    .addOption(new Option('--limit <number>', 'at most so many').argParser(positive).default(50).conflicts('all'))
    .option('--all', 'all that match')
}

/** A page of a list; `next` is absent on the last. */
export interface ListedPage<Row> {
  readonly rows: readonly Row[]
  readonly next?: unknown
}

/** The rows that are asked for, page by page, and whether more match. */
export async function* limited<Row>(
  pages: (pageSize: number) => AsyncIterable<ListedPage<Row>>,
  { limit, all }: LimitOptions,
): AsyncGenerator<{ readonly rows: readonly Row[]; readonly more: boolean }, void, void> {
  let left = all === true ? Number.POSITIVE_INFINITY : limit
  for await (const page of pages(Math.min(left, maxPage))) {
    const rows = page.rows.slice(0, left)
    left -= rows.length
    yield { rows, more: page.next !== undefined || rows.length < page.rows.length }
    if (left === 0) return
  }
}
