import { type Command, InvalidArgumentError } from 'commander'
import { expireFacts, openExpiry } from '../audit/retention.ts'
import type { Context } from './context.ts'
import { addTargetOption, type TargetOptions, targetOf } from './db-target.ts'
import { exitCodes } from './exit.ts'
import { helpTail, UsageError } from './usage.ts'

interface ExpireOptions extends TargetOptions {
  /** Days. */
  readonly olderThan: number
  readonly reason: string
  readonly tenant?: string
  readonly dryRun?: true
}

const day = 86_400_000

const help = helpTail(
  [
    'imagegate db expire-facts --older-than 365d --reason "kept for a year" --dry-run',
    'imagegate db expire-facts --older-than 365d --reason "kept for a year"',
  ],
  ['0  done', '3  could not run; what was removed stays removed, and the next run does the rest'],
  [
    'Removes fact documents whose last verdict is older, and leaves digest, time and reason. Verdicts and their chain',
    'stay and verify; a replay answers that the facts have expired. It may run beside the service.',
  ],
)

function days(text: string): number {
  const [, number] = /^([1-9]\d{0,4})d$/.exec(text) ?? []
  if (number === undefined) throw new InvalidArgumentError('It is a number of days, such as 365d.')
  return Number(number)
}

/** Adds `imagegate db expire-facts`. */
export function addDbExpireFacts(db: Command, { terminal, exit }: Context): void {
  const command = db.command('expire-facts').description('Removes the facts of old verdicts; the verdicts stay.')
  addTargetOption(command)
    .requiredOption('--older-than <days>', 'whose last verdict is older than so many days, such as 365d', days)
    .requiredOption('--reason <text>', 'why, kept with each document')
    .option('--tenant <name>', "this tenant's alone")
    .option('--dry-run', 'count only')
    .addHelpText('after', help)
    .action(async (options: ExpireOptions) => {
      const { olderThan, reason, tenant, dryRun } = options
      if (reason.trim() === '' || reason.length > 500) throw new UsageError('--reason has 1 to 500 characters.')
      const target = await openExpiry(targetOf(options, terminal))
      try {
        const before = Date.now() - olderThan * day
        const order = { before, reason, ...(tenant !== undefined && { tenant }), ...(dryRun && { dryRun }) }
        const { documents, bytes } = await expireFacts(target, order)
        const done = dryRun ? 'would be removed' : 'were removed'
        await terminal.stdout.write(`${documents} fact documents of ${bytes} bytes ${done}.\n`)
      } finally {
        await target.close()
      }
      exit(exitCodes.ready)
    })
}
