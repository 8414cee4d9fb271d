import { progressOn } from './collect-progress.ts'
import type { Terminal } from './terminal.ts'

/** Counts things on the last line of a terminal, ten times a second at most. */
export function countingOn({ stderr }: Pick<Terminal, 'stderr'>) {
  const progress = progressOn(stderr)
  let shown = performance.now()
  let counted = 0
  let before = ''
  return {
    /** One more of what is named. */
    count(what: string): void {
      counted = what === before ? counted + 1 : 1
      before = what
      const now = performance.now()
      if (now - shown < 100) return
      shown = now
      progress.show(`${counted} ${what}`)
    },
    clear: () => progress.clear(),
  }
}
