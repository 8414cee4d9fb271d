import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { ImagegateError } from '../errors.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage.ts'

/** A running imagegate, and the credential to show it. */
export interface ServerPlace {
  readonly url: string
  /** An API key or a token. */
  readonly key?: string
}

/** Which server is asked. */
export interface ServerOptions {
  readonly server?: string
  readonly apiKeyFile?: string
}

/** Adds --server and --api-key-file. A key itself is no option: everybody on the machine could read it. */
export function addServerOptions(command: Command, what: string): Command {
  const description = 'file with the API key for --server (default: IMAGEGATE_API_KEY)'
  return command
    .option('--server <url>', `${what}, such as http://127.0.0.1:8080`)
    .addOption(new Option('--api-key-file <file>', description))
}

function keyIn(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new ImagegateError('FILE_UNREADABLE', `${file} cannot be read.`, { cause })
  }
  if (/^[\x21-\x7e]{1,8192}$/.test(text)) return text
  throw new ImagegateError('FILE_UNREADABLE', `${file} does not hold one key on one line.`)
}

/** The server that is asked, with its credential; undefined when none is. Throws FILE_UNREADABLE, CONFIG_INVALID or a UsageError. */
export function serverPlace({ server, apiKeyFile }: ServerOptions, terminal: Terminal): ServerPlace | undefined {
  if (server === undefined) {
    if (apiKeyFile !== undefined) throw new UsageError('--api-key-file belongs to --server.')
    return undefined
  }
  const key = apiKeyFile === undefined ? terminal.config().apiKey : keyIn(apiKeyFile)
  return { url: server, ...(key !== undefined && { key }) }
}
