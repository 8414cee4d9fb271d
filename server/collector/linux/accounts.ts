import type { Files } from '../../documents/facts.ts'
import type { GuestFiles } from '../guest.ts'
import type { Missing } from '../part.ts'
import { linesOf, readText, shown, stated } from './text.ts'
import { type Found, missing } from './topic.ts'

type Password = 'set' | 'empty' | 'locked'

/** What a password field says. Only this word leaves the function; the field itself is kept nowhere. */
export function passwordWord(field: string): Password {
  if (field === '') return 'empty'
  return field.startsWith('!') || field.startsWith('*') ? 'locked' : 'set'
}

function fieldsOf(text: string | undefined, matches: (fields: readonly string[]) => boolean): string[] | undefined {
  return linesOf(text ?? '')
    .map((line) => line.split(':'))
    .find((fields) => fields.length > 2 && matches(fields))
}

const barred = /\/(nologin|false)$/

/** The account with the number 0. Its password stands in passwd, in shadow when passwd says x, or in FreeBSD's own file. */
export async function rootAccount(files: GuestFiles, freebsd: boolean): Promise<Found> {
  const pointer = '/accounts/root/password'
  const [passwd, shadow] = await Promise.all([
    readText(files, '/etc/passwd'),
    readText(files, freebsd ? '/etc/master.passwd' : '/etc/shadow'),
  ])
  const account = fieldsOf(passwd, ([, , number]) => number === '0')
  if (account === undefined) {
    const lost = missing('/accounts/root', 'not-found', 'The account with the number 0 is not in /etc/passwd.')
    return { facts: {}, missing: [lost] }
  }
  const [name = '', ownField = ''] = account
  const shadowed = freebsd || ownField === 'x'
  const own = fieldsOf(shadow, ([first]) => first === name)
  const field = shadowed ? own?.[1] : ownField
  const expired = !freebsd && shadowed && /^[01]$/.test(own?.[7] ?? '')
  const lost: Missing[] = []
  if (field === undefined) lost.push(missing(pointer, 'not-found', 'The password file has no line for the account.'))
  const root = stated({
    name: shown(name, 255),
    disabled: expired || barred.test(account.at(-1)?.trim() ?? ''),
    password: field === undefined ? undefined : passwordWord(field),
  })
  return { facts: { accounts: { root } }, missing: lost }
}

/** The attributes of the password file; permission bits do not count. */
export async function passwordFile(files: GuestFiles, freebsd: boolean): Promise<Found> {
  const path = freebsd ? '/etc/master.passwd' : '/etc/shadow'
  const [stat, text] = await Promise.all([files.stat(path), readText(files, path)])
  if (stat === undefined || text === undefined) return { facts: { files: { passwordFile: { path, present: false } } } }
  const lost: Missing[] = []
  for (const name of ['immutable', 'appendOnly'] as const) {
    if (stat[name] !== undefined) continue
    const reason = 'The file system, or the tool that reads it, does not tell the attribute.'
    lost.push(missing(`/files/passwordFile/${name}`, 'unsupported', reason))
  }
  const facts: NonNullable<Files['passwordFile']> = stated({
    path,
    present: true,
    immutable: stat.immutable,
    appendOnly: stat.appendOnly,
  })
  return { facts: { files: { passwordFile: facts } }, missing: lost }
}
