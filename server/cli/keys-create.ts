import { type Command, Option } from 'commander'
import { isTenant, makeKey } from '../access/key.ts'
import { roles } from '../access/roles.ts'
import type { ApiKey } from '../audit/api-keys.ts'
import { defaultTenant, type Store } from '../audit/store.ts'
import { ImagegateError } from '../errors.ts'
import type { Context } from './context.ts'
import { addTargetOption, type TargetOptions } from './db-target.ts'
import { safeText } from './escape.ts'
import { exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { durationOf, instantOf, withStore } from './keys-target.ts'
import type { Terminal } from './terminal.ts'
import { type Format, helpTail, UsageError } from './usage.ts'

interface CreateOptions extends TargetOptions {
  readonly tenant?: string
  readonly role?: string
  readonly name?: string
  readonly expires?: string
  readonly replaces?: string
  readonly grace?: string
  readonly format: Format
}

const help = helpTail(
  [
    'imagegate keys create --role submitter --name "build pipeline" --expires 365d',
    'imagegate keys create --role auditor --name "audit, 2027" --tenant payments --expires 2028-01-01',
    'imagegate keys create --replaces k7d3m2p9q4a5b6c7 --grace 24h',
  ],
  ['0  made', '3  could not run'],
  [
    'The key stands alone on standard output, this once: what is kept is its digest.',
    'A key that replaces another takes its tenant, role and name, and the other ends after --grace.',
  ],
)

/** Throws a UsageError for what is no text of that kind. */
function timeOf(name: string, text: string, now: Date): string {
  const time = instantOf(text, now)
  if (time === undefined) throw new UsageError(`--${name} is a duration such as 90d, a date, or RFC 3339 in UTC.`)
  if (Date.parse(time) <= now.getTime()) throw new UsageError(`--${name} is in the past.`)
  return time
}

type Holder = Pick<ApiKey, 'tenant' | 'role' | 'name'>

function holderOf({ tenant = defaultTenant, role, name }: CreateOptions): Holder {
  if (role === undefined || name === undefined) throw new UsageError('A new key needs --role and --name.')
  if (!isTenant(tenant)) {
    throw new UsageError('--tenant is 1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first.')
  }
  // What is shown in lists and logs is one line of ordinary characters.
  if (!/^[\p{L}\p{N}\p{P}\p{S} ]{1,100}$/u.test(name))
    throw new UsageError('--name is one line of 1 to 100 characters.')
  return { tenant, role, name }
}

async function replacedHolder(store: Store, id: string, now: Date): Promise<Holder> {
  const old = await store.apiKey(id)
  const ended = old?.expiresAt !== undefined && Date.parse(old.expiresAt) <= now.getTime()
  if (old === undefined || old.revokedAt !== undefined || ended) {
    throw new ImagegateError('API_KEY_NOT_FOUND', 'The key to replace is not there, has expired or is revoked.')
  }
  return { tenant: old.tenant, role: old.role, name: old.name }
}

async function create(store: Store, options: CreateOptions, now: Date): Promise<{ key: ApiKey; text: string }> {
  const { replaces, grace = '24h', expires } = options
  const wait = durationOf(grace)
  if (wait === undefined) throw new UsageError('--grace is a duration such as 24h.')
  const holder = replaces === undefined ? holderOf(options) : await replacedHolder(store, replaces, now)
  const { id, text, digest } = makeKey()
  const expiresAt = expires === undefined ? {} : { expiresAt: timeOf('expires', expires, now) }
  const key: ApiKey = { id, ...holder, digest, createdAt: now.toISOString(), ...expiresAt }
  const end = new Date(now.getTime() + wait).toISOString()
  await store.changeApiKeys({
    kind: 'create',
    key,
    ...(replaces !== undefined && { replaces: { id: replaces, expiresAt: end } }),
  })
  return { key, text }
}

async function tell({ key, text }: { key: ApiKey; text: string }, format: Format, terminal: Terminal): Promise<void> {
  const { digest: _, ...told } = key
  if (format === 'json') {
    await terminal.stdout.write(jsonReport({ ...told, key: text }, terminal.stdout))
    return
  }
  await terminal.stdout.write(`${text}\n`)
  const end = key.expiresAt === undefined ? 'without end' : `until ${key.expiresAt}`
  await terminal.stderr.write(
    `Key ${key.id} (${safeText(key.name)}) is a ${key.role} of tenant ${key.tenant}, ${end}. It is shown this once.\n`,
  )
}

/** Adds `imagegate keys create`. */
export function addKeysCreate(keys: Command, { terminal, exit }: Context): void {
  const command = keys.command('create').description('Makes an API key, and the database where there is none.')
  addTargetOption(command)
    .addOption(new Option('--role <role>', 'what its owner may do').choices([...roles]))
    .option('--name <name>', 'what it is for')
    .option('--tenant <tenant>', `whose record it may touch (default: ${defaultTenant})`)
    .option('--expires <time>', 'when it ends: 90d, a date, or RFC 3339 in UTC (default: never)')
    .addOption(new Option('--replaces <id>', 'take the place of this key').conflicts(['role', 'name', 'tenant']))
    .option('--grace <duration>', 'how long the replaced key is still good (default: 24h)')
    .addOption(new Option('--format <format>', 'form of the output').choices(['human', 'json']).default('human'))
    .addHelpText('after', help)
    .action(async (options: CreateOptions) => {
      const now = terminal.now()
      if (options.replaces === undefined) holderOf(options)
      if (options.replaces === undefined && options.grace !== undefined) {
        throw new UsageError('--grace belongs to --replaces.')
      }
      const made = await withStore({ ...options, make: options.replaces === undefined }, terminal, (store) =>
        create(store, options, now),
      )
      await tell(made, options.format, terminal)
      exit(exitCodes.ready)
    })
}
