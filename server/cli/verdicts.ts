import type { Command } from 'commander'
import type { Context } from './context.ts'
import { helpTail } from './usage.ts'
import { addVerdictsList } from './verdicts-list.ts'
import { addVerdictsReplay } from './verdicts-replay.ts'
import { addVerdictsShow } from './verdicts-show.ts'
import { addVerdictsStatistics } from './verdicts-statistics.ts'
import { addVerdictsTimeline } from './verdicts-timeline.ts'

const help = helpTail(
  [
    'imagegate verdicts list --outcome not_ready --from 2026-11-01',
    'imagegate verdicts show 0198c0de-0000-7000-8000-000000000000',
    'imagegate verdicts replay --server http://127.0.0.1:8080 0198c0de-0000-7000-8000-000000000000',
  ],
  [
    '0  done; for replay: the same',
    '1  for replay: different',
    '2  for replay: the facts are gone',
    '3  could not run',
  ],
)

/** Makes a command `imagegate verdicts`, with its own. */
export function addVerdicts(command: Command, context: Context): void {
  command
    .description('Lists, shows, replays, compares and counts recorded verdicts, of a database or of a server.')
    .addHelpText('after', help)
  addVerdictsList(command, context)
  addVerdictsShow(command, context)
  addVerdictsReplay(command, context)
  addVerdictsTimeline(command, context)
  addVerdictsStatistics(command, context)
}
