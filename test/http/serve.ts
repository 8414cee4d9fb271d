import { closeOnSignal, reloadOnSignal, start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'

// A process that serves, for tests that send it signals; it tells where on the first line of its log.
const running = await start(readConfig())
reloadOnSignal(running)
process.exitCode = await closeOnSignal(running)
