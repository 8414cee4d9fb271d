import { type Command, InvalidArgumentError, Option } from 'commander'
import type { PasswordAccount } from '../collector/attest-password.ts'
import type { Terminal } from './terminal.ts'

/** Options of collecting, the same wherever images are read. */
export interface CollectFlags {
  readonly attest: readonly string[]
  readonly attestPassword?: PasswordAccount
  readonly digest?: true
  readonly systemFiles?: true
  /** Unit: seconds. */
  readonly timeLimit: number
}

const accounts: readonly PasswordAccount[] = ['root', 'administrator']
const defaultSeconds = 300

/** A whole number from 1 to nine digits. Throws InvalidArgumentError. */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 1.')
  return Number(text)
}

function append(file: string, files: readonly string[]): readonly string[] {
  return [...files, file]
}

/** Adds the options of collecting. */
export function addCollectOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--attest <file>', 'state what no reading of an image tells; may be given again')
        .argParser(append)
        .default([], 'none'),
    )
    .addOption(
      new Option(
        '--attest-password <account>',
        'ask for the password of this account and state its length and classes alone',
      ).choices([...accounts]),
    )
    .option('--digest', 'state the SHA-256 of the image file, which reads all of it')
    .option('--system-files', 'compare system files with the package database, which takes seconds')
    .addOption(
      new Option('--time-limit <seconds>', 'for each image; what is not read by then is missing')
        .argParser(wholeNumber)
        .default(defaultSeconds),
    )
}

/** What help says of an attestation. */
export const attestNotes: readonly string[] = [
  'An attestation is YAML or JSON; it may state what is absent and must not contradict what was found:',
  '  schema: imagegate.attestation/1',
  '  by: image team',
  '  at: 2026-11-20T09:30:00Z',
  '  how: debsums on the build host',
  '  facts: { files: { systemFiles: { baseline: dpkg, verification: match, modified: [] } } }',
  'A password is typed unseen, or is the first line of standard input. It is not kept.',
]

/** Root is warned, not refused. */
export async function warnRoot({ stderr }: Pick<Terminal, 'stderr'>): Promise<void> {
  if (process.getuid?.() !== 0) return
  await stderr.write(
    'imagegate: Warning: running as root. Programs that read an image run as nobody where everyone may read it, else as its owner; an ordinary user is safer.\n',
  )
}
