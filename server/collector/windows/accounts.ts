import type { Account } from '../../documents/facts.ts'
import { GuestError } from '../guest.ts'
import type { Part } from '../part.ts'
import type { WindowsFiles } from './files.ts'
import { dirtyReason, isDirtyHive } from './hive.ts'
import type { WithHive } from './hivexsh.ts'
import { known } from './known.ts'
import { hiveSource, type Registry } from './registry.ts'
import { Topic, undecided } from './topic.ts'

/** F, of fixed size: identifier and account-control bits. */
const fBytes = 80
const identifierAt = 0x30
const controlAt = 0x38
const disabledBit = 0x0001
/** V: a table of 17 offsets and lengths, then what they name. */
const vTableBytes = 0xcc
const nameAt = 0x0c
const ntHashAt = 0xa8
/** Lengths of the entry for the password's hash, by its version (RC4, AES): with a hash, and without one. */
const withHash = new Set([20, 56])
const withoutHash = new Set([0, 4, 24])

const script = 'cd \\SAM\\Domains\\Account\\Users\\000001F4\nlsval F\nlsval V\n'

function nameIn(v: Buffer): string | undefined {
  const start = vTableBytes + v.readUInt32LE(nameAt)
  const length = v.readUInt32LE(nameAt + 4)
  if (length === 0 || length > 512 || length % 2 !== 0 || start + length > v.length) return undefined
  return v
    .toString('utf16le', start, start + length)
    .toWellFormed()
    .slice(0, 255)
}

/** Reads no more of the account than its name, its disabled bit and whether a hash is stored, never the hash. */
function accountIn(topic: Topic, output: Buffer): Account {
  const f = output.subarray(0, fBytes)
  const v = output.subarray(fBytes)
  if (f.length < fBytes || v.length < vTableBytes || f.readUInt32LE(identifierAt) !== 500) {
    throw new GuestError('damaged', 'The account with identifier 500 is not stored in the form that is known.')
  }
  const hash = v.readUInt32LE(ntHashAt + 4)
  const password = topic.take('/accounts/administrator/password', () => {
    if (withoutHash.has(hash)) return 'empty' as const
    return withHash.has(hash)
      ? ('set' as const)
      : undecided('The state of the password is not stored in a form that is known.')
  })
  const disabled = (f.readUInt16LE(controlAt) & disabledBit) !== 0
  return { disabled, ...known({ name: nameIn(v), password }) }
}

/** The local administrator (identifier 500), whatever its name, as far as the hive SAM may be looked at. */
export async function accountsPart(
  { system }: Registry,
  files: WindowsFiles,
  windows: string,
  withHive: WithHive,
): Promise<Part> {
  const topic = new Topic()
  const administrator = await topic.fetch('/accounts/administrator', async () => {
    if (system.text('Control\\ProductOptions', 'ProductType')?.toLowerCase() === 'lanmannt') {
      undecided('On a domain controller the accounts are stored in Active Directory.')
    }
    return withHive(hiveSource(files, windows, 'SAM'), async (hivexsh, head) => {
      if (isDirtyHive(head)) topic.note('/accounts/administrator', 'hive-dirty', dirtyReason('SAM'))
      const { exitCode, stdout } = await hivexsh(script)
      try {
        if (exitCode !== 0) throw new GuestError('damaged', 'The account with identifier 500 cannot be read.')
        return accountIn(topic, stdout)
      } finally {
        stdout.fill(0)
      }
    })
  })
  topic.note(
    '/accounts/administrator/passwordProperties',
    'unverifiable',
    'Only a hash of the password is stored; its properties must be attested.',
  )
  return topic.part(
    'registry hive SAM, disabled bit and presence of a password',
    known({ accounts: known({ administrator }) }),
  )
}
