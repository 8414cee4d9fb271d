import type { Config } from '../config.ts'
import type { ExitCode } from './exit.ts'
import type { Terminal } from './terminal.ts'

/** A service that runs. */
export interface Service {
  /** Where it listens, as a URL without a path. */
  readonly url: string
  /** Resolves with the exit code once the service was told to stop and has stopped. */
  stopped(): Promise<number>
}

/** What the command line needs from the rooms above it. */
export interface Services {
  start(config: Config): Promise<Service>
}

/** What every command works with. */
export interface Context {
  readonly terminal: Terminal
  /** Tells the exit code of the command that ran. */
  exit(code: ExitCode): void
}

/** What those work with besides that start the service. */
export interface ServiceContext extends Context {
  readonly services: Services
}
