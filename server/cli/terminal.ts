import type { Readable } from 'node:stream'
import { type Config, readConfig } from '../config.ts'
import { colourUnwanted } from './colour.ts'
import { Output } from './output.ts'

/** What a command sees of its process, so that tests can stand in for it. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Output
  readonly stderr: Output
  readonly colourUnwanted: boolean
  now(): Date
  /** Throws CONFIG_INVALID. */
  config(): Config
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return {
    stdin: process.stdin,
    stdout: new Output(process.stdout),
    stderr: new Output(process.stderr),
    colourUnwanted: colourUnwanted(),
    now: () => new Date(),
    config: () => readConfig(),
  }
}
