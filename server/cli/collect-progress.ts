import { safeText } from './escape.ts'
import type { Output } from './output.ts'
import { widthOf } from './wrap.ts'

/** One line at the end of a terminal that tells what is being done; nothing where there is no terminal. */
export interface Progress {
  show(text: string): void
  /** A line that stays. */
  say(text: string): void
  /** Takes the line away before anything else is written. */
  clear(): void
}

const eraseLine = '\r\u001b[K'

function cut(text: string, columns: number): string {
  let shown = ''
  for (const character of text) {
    if (widthOf(`${shown}${character}…`) >= columns) return `${shown}…`
    shown += character
  }
  return shown
}

/** Progress on standard error. */
export function progressOn(stderr: Output): Progress {
  let shown = false
  const clear = () => {
    if (shown) stderr.queue(eraseLine)
    shown = false
  }
  return {
    show(text) {
      if (!stderr.isTerminal) return
      stderr.queue(`${eraseLine}${cut(safeText(text), stderr.columns)}`)
      shown = true
    },
    say(text) {
      clear()
      stderr.queue(`imagegate: ${safeText(text)}\n`)
    },
    clear,
  }
}
