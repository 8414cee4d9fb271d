import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { quotePosix } from '../policy/text.ts'
import { settings } from '../settings.ts'
import type { ServiceContext } from './context.ts'
import { exitCodes } from './exit.ts'
import { helpTail } from './usage.ts'
import { wrap } from './wrap.ts'

const example = fileURLToPath(new URL('../../examples/linux/ready.json', import.meta.url))

function environment(columns: number): string {
  const lines = settings.flatMap((setting) => [
    `  ${setting.name}`,
    ...wrap(`${setting.description} Default: ${setting.default}.`, columns, '      '),
  ])
  return ['', 'Environment:', ...lines].join('\n')
}

/** A file as a shell in this directory can name it. */
function shortest(file: string): string {
  const fromHere = relative(process.cwd(), file)
  return fromHere.startsWith('..') ? file : fromHere
}

/** A word that reads better without quotes where it needs none. */
function word(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : quotePosix(text)
}

/** What to try first with a service that has just started. */
function welcome(url: string, authenticated: boolean): string {
  const who = authenticated ? 'Callers need an API key or a token' : 'Everybody on this machine may do everything'
  const found = `imagegate listens at ${url}\nThe API description: ${url}/docs\n${who}; see IMAGEGATE_AUTHENTICATION in serve --help.\n`
  if (!existsSync(example)) return found
  const key = authenticated ? ' -H "Authorization: Bearer $IMAGEGATE_API_KEY"' : ''
  const post = `curl -sS${key} -H 'Content-Type: application/json'`
  const lines = [
    'Post an example document of facts and get its verdict:',
    '',
    `  ${post} --data-binary ${word(`@${shortest(example)}`)} ${word(`${url}/v1/evaluations`)}`,
    '',
  ]
  return `${found}${lines.join('\n')}\n`
}

const help = helpTail(
  ['imagegate serve', 'IMAGEGATE_PORT=9000 IMAGEGATE_DATABASE_URL=file:/var/lib/imagegate/audit.db imagegate serve'],
  ['0  stopped in order by SIGTERM or SIGINT', '1  stopped, but requests in flight were cut off', '3  could not start'],
)

/** Makes a command `imagegate serve`. */
export function addServe(command: Command, { terminal, services, exit }: ServiceContext): void {
  command
    .description('Serves the REST API. Settings come from the environment; the log goes to standard output as JSON.')
    .addHelpText('after', () => `${environment(Math.min(terminal.stdout.columns, 100))}\n${help}`)
    .action(async () => {
      const config = terminal.config()
      const service = await services.start(config)
      await terminal.stderr.write(welcome(service.url, config.authenticated))
      exit((await service.stopped()) === 0 ? exitCodes.ready : exitCodes.notReady)
    })
}
