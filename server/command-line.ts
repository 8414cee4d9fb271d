import type { Service } from './cli/context.ts'
import { run } from './cli/run.ts'
import { processTerminal } from './cli/terminal.ts'
import type { Config } from './config.ts'

/** The service's rooms are loaded only when they are needed: the other commands start in a fraction of the time. */
async function start(config: Config): Promise<Service> {
  const { closeOnSignal, reloadOnSignal, start: startService } = await import('./compose.ts')
  const running = await startService(config)
  reloadOnSignal(running)
  const stopped = closeOnSignal(running)
  return { url: running.url, stopped: () => stopped }
}

/** Every command. Resolves with the exit code. */
export function main(): Promise<number> {
  return run(process.argv.slice(2), processTerminal(), { start })
}
