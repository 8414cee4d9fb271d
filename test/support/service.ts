import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { hear } from './leaks.ts'

const top = fileURLToPath(new URL('../../', import.meta.url))

/** The built program, serving in a process of its own. */
export interface Service {
  readonly child: ChildProcess
  readonly url: string
  /** Its log so far, a line each. */
  readonly log: string[]
  /** Sends a signal and resolves with the exit code and the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<readonly [number | null, NodeJS.Signals | null]>
}

/** How a service is started beside its settings. */
export interface ServeOptions {
  /** User and group id, where it is to run as somebody else; only root can. */
  readonly user?: number
}

/** A service that ended before it listened, with all that it said. */
export class NotStarted extends Error {
  readonly exitCode: number | null
  readonly said: string

  constructor(exitCode: number | null, said: string) {
    super(`The service ended with ${exitCode} before it listened: ${said}`)
    this.exitCode = exitCode
    this.said = said
  }
}

/** Starts the built program as users run it (npm test builds it first). Rejects with NotStarted. */
export async function serve(settings: Readonly<Record<string, string>>, { user }: ServeOptions = {}): Promise<Service> {
  const command = [process.execPath, 'dist/main.js', 'serve']
  // What tap puts into NODE_OPTIONS writes beside the tests when a thread ends, which only their own user can.
  const [program = '', ...args] = user === undefined ? command : ['env', '--unset=NODE_OPTIONS', ...command]
  const child = spawn(program, args, {
    cwd: top,
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      IMAGEGATE_PORT: '0',
      IMAGEGATE_LOG_LEVEL: 'warn',
      IMAGEGATE_MAX_DELAY_MS: '0',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(user !== undefined && { uid: user, gid: user }),
  })
  const exited = once(child, 'exit')
  const log: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    hear(line)
    log.push(line)
  })
  let said = ''
  for await (const chunk of child.stderr) {
    hear(String(chunk))
    said += String(chunk)
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0]
    if (url === undefined) continue
    child.stderr.resume()
    const end = async (signal: NodeJS.Signals) => {
      child.kill(signal)
      const [code, by] = await exited
      return [code, by] as const
    }
    return { child, url, log, end }
  }
  const [code] = await exited
  throw new NotStarted(code, said + log.join('\n'))
}

/** A complete answer. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What is asked. */
export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Milliseconds after which the request is given up; by default never. */
  readonly patience?: number
}

/** One request over an agent's connections. Rejects unless the whole answer arrived: nothing less is an acknowledgement. */
export function call(agent: Agent, url: string, { body, patience, ...rest }: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, ...rest }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () =>
        answer.complete
          ? resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() })
          : reject(new Error('The answer was cut off.')),
      )
    })
    sent.on('error', reject)
    if (patience !== undefined) sent.setTimeout(patience, () => sent.destroy(new Error('No answer in time.')))
    sent.end(body)
  })
}

/** Agent with kept-alive connections, at most so many. */
export function agentOf(connections: number): Agent {
  return new Agent({ keepAlive: true, maxSockets: connections })
}
