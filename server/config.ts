import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AccessConfig, accessConfig } from './config-access.ts'
import { type DatabasePlace, databasePlace, isPostgresUrl, withPassword } from './database.ts'
import { ImagegateError, type Problem } from './errors.ts'
import { type Setting, type SettingName, settings, settingsSchema } from './settings.ts'
import { validatorOf } from './validators.ts'

/** What the service needs to know before it starts. */
export interface Config extends AccessConfig {
  /** Address to listen on. */
  readonly host: string
  /** TCP port; 0 takes a free one. */
  readonly port: number
  /** TCP port of a listener of its own for probes; 0 takes a free one. */
  readonly healthPort?: number
  readonly database: DatabasePlace
  /** Absolute path of the policies' folder, or with a public key of their signed bundle. */
  readonly policies: string
  /** Absolute path of the public key that must have signed the bundle. */
  readonly policyPublicKey?: string
  /** Absolute path of a policy file that is tried in shadow. */
  readonly policyCandidate?: string
  /** Reload the policies whenever they change on disk. */
  readonly policyWatch: boolean
  /** Absolute path of the private key that signs checkpoints. */
  readonly checkpointKey?: string
  /** Absolute path of the directory in which checkpoints are kept outside the database. */
  readonly checkpointDirectory?: string
  readonly checkpointSeconds: number
  readonly logLevel: string
  /** Seconds in which a body, or the next part of a batch, must arrive. */
  readonly bodySeconds: number
  /** Lines of one batch that are evaluated at a time. */
  readonly batchWindow: number
  /** Connections that are open at a time. */
  readonly maxConnections: number
  /** Milliseconds of event-loop delay above which requests are turned away; 0 never does. */
  readonly maxDelayMs: number
  /** Seconds that requests in flight have to finish when the service stops. */
  readonly shutdownSeconds: number
  /** Seconds between turning unready and accepting nothing more, for load balancers to notice. */
  readonly shutdownDelaySeconds: number
}

/** Digits of a whole number become one; everything else stays text and fails its schema where a number is due. */
function typed(setting: Setting, given: string): string | number {
  return setting.schema['type'] === 'integer' && /^\d{1,9}$/.test(given) ? Number(given) : given
}

function check(values: Readonly<Record<string, string | number>>): Problem[] {
  const validate = validatorOf(settingsSchema, true)
  validate(values)
  const named = new Set((validate.errors ?? []).map(({ instancePath }) => instancePath.slice(1)))
  return settings
    .filter(({ name }) => named.has(name))
    .map(({ name, description }) => ({ pointer: `/${name}`, message: `${name} is not valid. ${description}` }))
}

/** What a file of a password holds, without the line's end. */
function passwordOf(file: string | undefined): { readonly text: string } | 'unreadable' | undefined {
  if (file === undefined) return undefined
  try {
    const [text = '', ...more] = readFileSync(file, 'utf8')
      .replace(/\r?\n$/, '')
      .split('\n')
    return text === '' || more.length > 0 ? 'unreadable' : { text }
  } catch {
    return 'unreadable'
  }
}

/**
 * Reads and checks the environment; an empty variable counts as not set.
 * Throws CONFIG_INVALID with every problem; no value is repeated in them.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = (name: SettingName) => environment[name] || undefined
  const values = Object.fromEntries(
    settings.map((setting) => [setting.name, typed(setting, given(setting.name) ?? setting.default)]),
  )
  // What stands for a setting that was not given may be words, such as none.
  const problems = check(Object.fromEntries(Object.entries(values).filter(([name]) => environment[name])))
  const say = (name: SettingName, message: string) => problems.push({ pointer: `/${name}`, message })
  const word = (name: SettingName) => String(values[name])
  const number = (name: SettingName) => Number(values[name])
  const database = databasePlace(word('IMAGEGATE_DATABASE_URL'))
  const readUrl = given('IMAGEGATE_READ_DATABASE_URL')
  if (database === undefined) {
    say('IMAGEGATE_DATABASE_URL', 'IMAGEGATE_DATABASE_URL is neither a file: URL or a path nor a postgres: URL.')
  }
  if (readUrl !== undefined && !(database?.kind === 'postgres' && isPostgresUrl(readUrl))) {
    say(
      'IMAGEGATE_READ_DATABASE_URL',
      'IMAGEGATE_READ_DATABASE_URL is a postgres: URL, and only where IMAGEGATE_DATABASE_URL is one.',
    )
  }
  const password = passwordOf(given('IMAGEGATE_DATABASE_PASSWORD_FILE'))
  if (password === 'unreadable' || (password !== undefined && database?.kind !== 'postgres')) {
    say(
      'IMAGEGATE_DATABASE_PASSWORD_FILE',
      'IMAGEGATE_DATABASE_PASSWORD_FILE is a file of one line that can be read, and only where IMAGEGATE_DATABASE_URL ' +
        'is a postgres: URL.',
    )
  }
  const access = accessConfig({ given, word, number, say })
  if (problems.length > 0 || database === undefined) {
    throw new ImagegateError('CONFIG_INVALID', problems.map(({ message }) => message).join(' '), { problems })
  }
  const place = readUrl === undefined ? database : { ...database, readUrl }
  const policies = given('IMAGEGATE_POLICIES')
  const key = given('IMAGEGATE_POLICY_PUBLIC_KEY')
  const candidate = given('IMAGEGATE_POLICY_CANDIDATE')
  const checkpointKey = given('IMAGEGATE_CHECKPOINT_KEY')
  const checkpointDirectory = given('IMAGEGATE_CHECKPOINT_DIRECTORY')
  return Object.freeze({
    ...access,
    host: word('IMAGEGATE_HOST'),
    port: number('IMAGEGATE_PORT'),
    ...(given('IMAGEGATE_HEALTH_PORT') === undefined ? {} : { healthPort: number('IMAGEGATE_HEALTH_PORT') }),
    database: typeof password === 'object' ? withPassword(place, password.text) : place,
    policies: policies === undefined ? fileURLToPath(new URL('../policies', import.meta.url)) : resolve(policies),
    ...(key === undefined ? {} : { policyPublicKey: resolve(key) }),
    ...(candidate === undefined ? {} : { policyCandidate: resolve(candidate) }),
    policyWatch: values['IMAGEGATE_POLICY_WATCH'] === 'yes',
    ...(checkpointKey === undefined ? {} : { checkpointKey: resolve(checkpointKey) }),
    ...(checkpointDirectory === undefined ? {} : { checkpointDirectory: resolve(checkpointDirectory) }),
    checkpointSeconds: number('IMAGEGATE_CHECKPOINT_SECONDS'),
    logLevel: word('IMAGEGATE_LOG_LEVEL'),
    bodySeconds: number('IMAGEGATE_BODY_SECONDS'),
    batchWindow: number('IMAGEGATE_BATCH_WINDOW'),
    maxConnections: number('IMAGEGATE_MAX_CONNECTIONS'),
    maxDelayMs: number('IMAGEGATE_MAX_DELAY_MS'),
    shutdownSeconds: number('IMAGEGATE_SHUTDOWN_SECONDS'),
    shutdownDelaySeconds: number('IMAGEGATE_SHUTDOWN_DELAY_SECONDS'),
  })
}
