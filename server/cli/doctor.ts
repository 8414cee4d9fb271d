import type { Command } from 'commander'
import type { Diagnosis, ToolState } from '../collector/doctor.ts'
import { type Paint, painter } from './colour.ts'
import type { Context } from './context.ts'
import { safeText } from './escape.ts'
import { type ExitCode, exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, formatOf, formatOption, helpTail, type ShowOptions } from './usage.ts'
import { wrap } from './wrap.ts'

const help = helpTail(
  ['imagegate doctor', "imagegate doctor --format json | jq -r '.tools[] | select(.path == null).package'"],
  ['0  every program is there', '1  one is missing', '3  could not run'],
  ['Programs are looked for in the system folders alone; PATH is not asked.'],
)

function missingLines(missing: readonly ToolState[], columns: number): string[] {
  if (missing.length === 0) return ['', 'Every program is there.']
  const packages = [...new Set(missing.map((tool) => tool.package))].sort()
  return [
    '',
    'Unknown without what is missing:',
    ...missing.flatMap(({ name, serves }) => wrap(safeText(`${name}: ${serves}`), columns, '  - ')),
    '',
    'To install it (Debian):',
    '',
    `apt-get install ${packages.join(' ')}`,
  ]
}

function humanDiagnosis({ tools, conditions }: Diagnosis, columns: number, paint: Paint): string {
  const rows = tools.map((tool) => {
    const state = tool.path === undefined ? 'missing' : (tool.version ?? 'does not tell it')
    return [tool.name, state, tool.package, tool.serves]
  })
  const lines = conditions.flatMap(({ name, holds, meaning }) => {
    return wrap(safeText(`${name}: ${holds ? 'yes' : 'no'}. ${meaning}`), columns, '  ')
  })
  const missing = tools.filter(({ path }) => path === undefined)
  return `${table(['PROGRAM', 'VERSION', 'PACKAGE', 'FOR'], rows, paint)}\n${[...lines, ...missingLines(missing, columns)].join('\n')}\n`
}

async function doctor(options: ShowOptions, { stdout, colourUnwanted }: Terminal): Promise<ExitCode> {
  // Other commands start without what collecting needs.
  const { diagnose } = await import('../collector/doctor.ts')
  const found = await diagnose(new AbortController().signal)
  const complete = found.tools.every(({ path }) => path !== undefined)
  if (formatOf(options.format, stdout) === 'json') await stdout.write(jsonReport({ complete, ...found }, stdout))
  else await stdout.write(humanDiagnosis(found, stdout.columns, painter(options.color, stdout, colourUnwanted)))
  return complete ? exitCodes.ready : exitCodes.notReady
}

/** Makes a command `imagegate doctor`. */
export function addDoctor(command: Command, { terminal, exit }: Context): void {
  command
    .description(
      'Lists the programs that collecting uses, their versions, and what is unknown without those that are missing.',
    )
    .addOption(formatOption())
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (options: ShowOptions) => exit(await doctor(options, terminal)))
}
