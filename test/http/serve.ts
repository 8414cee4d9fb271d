import { closeOnSignal, start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'

// A process that serves, for tests that send it signals; it tells where on the first line of its log.
process.exitCode = await closeOnSignal(await start(readConfig()))
