import { type Command, Option } from 'commander'
import type { AskedPeriod, DayStatistics, FrequencyStatistics } from '../audit/statistics.ts'
import { families } from '../policy/families.ts'
import { type Paint, painter } from './colour.ts'
import type { Context } from './context.ts'
import { exitCodes } from './exit.ts'
import { jsonLine } from './json-report.ts'
import { upTo } from './limited.ts'
import { addRecordsOptions, type Records, type RecordsOptions, withRecords } from './records.ts'
import { table } from './table.ts'
import { colourOption, formatOf, formatOption, helpTail, type ShowOptions } from './usage.ts'

interface StatisticsOptions extends RecordsOptions, ShowOptions, AskedPeriod {
  readonly rule?: string
  readonly missingFact?: string
  readonly limit: number
}

/** What is told: of one rule or fact its days alone. */
interface Statistics {
  readonly days: DayStatistics
  readonly rules?: FrequencyStatistics
  readonly facts?: FrequencyStatistics
}

const help = helpTail(
  [
    'imagegate verdicts statistics --from 2026-11-01 --to 2026-12-01',
    'imagegate verdicts statistics --rule linux.ext4.64bit --family linux',
    'imagegate verdicts statistics --server http://127.0.0.1:8080 --format json',
  ],
  ['0  shown', '3  could not run'],
  ['A verdict counts once it is sealed, on the day in UTC on which it was recorded. At most 366 days at once.'],
)

async function statisticsOf(records: Records, options: StatisticsOptions): Promise<Statistics> {
  const { from, to, family, rule, missingFact, limit } = options
  const period = { from, to, family }
  const days = await records.days(period, {
    ...(rule !== undefined && { rule }),
    ...(missingFact !== undefined && { missingFact }),
  })
  if (rule !== undefined || missingFact !== undefined) return { days }
  const rules = await records.frequencies(period, 'rules', limit)
  return { days, rules, facts: await records.frequencies(period, 'facts', limit) }
}

const results = ['ready', 'ready_with_warnings', 'undetermined', 'not_ready']
const ruleResults = ['pass', 'fail', 'unknown', 'not_applicable']

function daysTable({ days }: DayStatistics, columns: readonly string[], paint: Paint): string {
  const heading = ['DAY', ...columns.map((name) => name.toUpperCase().replaceAll('_', ' '))]
  const rows = days.map(({ day, results }) => [day, ...columns.map((name) => String(results[name] ?? 0))])
  return table(heading, rows, paint)
}

function frequencyTable(name: string, { verdicts, counts }: FrequencyStatistics, paint: Paint): string {
  const share = (count: number) => `${((100 * count) / verdicts).toFixed(1)}%`
  const rows = counts.map((row) => [String(row.verdicts), share(row.verdicts), row.subject])
  return table(['VERDICTS', 'OF ALL', name], rows, paint)
}

function human({ days, rules, facts }: Statistics, columns: readonly string[], paint: Paint): string {
  const period = `From ${days.from} to before ${days.to}, UTC\n`
  if (days.days.length === 0) return `${period}No sealed verdict of these days counts here.\n`
  const parts = [daysTable(days, columns, paint)]
  if (rules !== undefined && rules.counts.length > 0) parts.push(frequencyTable('RULE THAT FAILED', rules, paint))
  if (facts !== undefined && facts.counts.length > 0) parts.push(frequencyTable('FACT THAT IS MISSING', facts, paint))
  return [period, ...parts].join('\n')
}

function json({ days, rules, facts }: Statistics) {
  return {
    ...days,
    ...(rules && {
      verdicts: rules.verdicts,
      rules: rules.counts.map(({ subject: rule, verdicts }) => ({ rule, verdicts })),
    }),
    ...(facts && { facts: facts.counts.map(({ subject: pointer, verdicts }) => ({ pointer, verdicts })) }),
  }
}

/** Adds `imagegate verdicts statistics`. */
export function addVerdictsStatistics(verdicts: Command, { terminal, exit }: Context): void {
  const command = verdicts
    .command('statistics')
    .description('Counts results by day, and names the rules that fail and the facts that are missing most often.')
  addRecordsOptions(command)
    .option('--from <day>', 'the first day, in UTC (default: 30 days before --to)')
    .option('--to <day>', 'the day after the last one (default: tomorrow)')
    .addOption(new Option('--family <family>', 'judged by this family of policies').choices(families))
    .addOption(new Option('--rule <rule>', 'the results of this rule alone').conflicts('missingFact'))
    .option('--missing-fact <pointer>', 'how many lack this fact, alone')
    .addOption(new Option('--limit <number>', 'at most so many rules and facts').argParser(upTo(500)).default(10))
    .addOption(formatOption())
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (options: StatisticsOptions) => {
      const statistics = await withRecords(options, terminal, (records) => statisticsOf(records, options))
      const { stdout, colourUnwanted } = terminal
      const paint = painter(options.color, stdout, colourUnwanted)
      const columns =
        options.missingFact !== undefined ? ['missing'] : options.rule === undefined ? results : ruleResults
      const people = formatOf(options.format, stdout) === 'human'
      await stdout.write(people ? human(statistics, columns, paint) : jsonLine(json(statistics)))
      exit(exitCodes.ready)
    })
}
