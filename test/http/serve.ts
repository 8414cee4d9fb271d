import { closeOnSignal, createLogger, reloadOnSignal, start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import { hear } from '../support/leaks.ts'

// A process that serves, for tests that send it signals; it tells where on the first line of its log.
const config = readConfig()
function write(line: string): void {
  hear(line)
  process.stdout.write(line)
}
const running = await start(config, createLogger(config.logLevel, { write }))
reloadOnSignal(running)
process.exitCode = await closeOnSignal(running)
