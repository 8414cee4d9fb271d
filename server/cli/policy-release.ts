import { open, rename, rm } from 'node:fs/promises'
import type { Command } from 'commander'
import type { PolicyLock } from '../documents/policy-lock.ts'
import { ImagegateError } from '../errors.ts'
import { compareSemver, findVersion, type ReleasedPolicy } from '../policy/set.ts'
import type { Context } from './context.ts'
import { errorReport } from './error-report.ts'
import { type ExitCode, exitCodes } from './exit.ts'
import { readPolicyFolder } from './policy-folder.ts'
import type { Terminal } from './terminal.ts'
import { helpTail } from './usage.ts'

interface ReleaseOptions {
  readonly policies?: string
}

const help = helpTail(
  ['imagegate policy release linux 1.1.0', 'imagegate policy release linux 1.1.0 --policies ./policies'],
  [
    '0  released now, or before with the same digest',
    '1  a policy is not valid, or this version was released with another digest',
    '3  could not run: there is no such version, or a file cannot be read or written',
  ],
  ['A released version never changes: make a new version for a change.'],
)

/** Replaces the lock in one step, so that a reader sees the old one or the new one and never a part. */
async function writeLock(path: string, lock: PolicyLock): Promise<void> {
  const draft = `${path}.${process.pid}.new`
  try {
    const file = await open(draft, 'w', 0o644)
    try {
      await file.writeFile(`${JSON.stringify(lock, undefined, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

function withPolicy(lock: PolicyLock, { family, version, digest, effectiveFrom }: ReleasedPolicy): PolicyLock {
  const policies = [...lock.policies, { family, version, digest, effectiveFrom }].sort(
    (a, b) => a.family.localeCompare(b.family, 'en') || compareSemver(a.version, b.version),
  )
  return { ...lock, policies }
}

async function release(
  family: string,
  version: string,
  { policies: given }: ReleaseOptions,
  terminal: Terminal,
): Promise<string> {
  const { policies, lock, lockPath } = await readPolicyFolder(given, terminal)
  const policy = findVersion(policies, family, version)
  if (policy === undefined) {
    throw new ImagegateError('POLICY_NOT_FOUND', `There is no file ${family}/${version}.yaml in the folder.`)
  }
  const { digest } = policy
  const locked = lock.policies.find((one) => one.family === family && one.version === version)
  if (locked?.digest === digest) return `${family} ${version} was released before: ${digest}\n`
  if (locked !== undefined) {
    const message = `It was released as ${locked.digest}; its digest is now ${digest}.`
    const file = `${family}/${version}.yaml`
    throw new ImagegateError('POLICY_CHANGED', 'The lock is left as it was.', { problems: [{ file, message }] })
  }
  await writeLock(lockPath, withPolicy(lock, policy))
  return `${family} ${version} is released: ${digest}\n`
}

/** Problems of the policies themselves are this command's finding and not its failure. */
function exitOf(error: ImagegateError): ExitCode {
  return error.code === 'POLICY_INVALID' || error.code === 'POLICY_CHANGED' ? exitCodes.notReady : exitCodes.couldNotRun
}

/** Adds `imagegate policy release`. */
export function addPolicyRelease(policy: Command, { terminal, exit }: Context): void {
  policy
    .command('release')
    .description("Checks a version and writes its digest into the lock, after which its file can't change.")
    .argument('<family>', 'windows-server, linux, nonstandard-linux or unidentified')
    .argument('<version>', 'its version')
    .option('--policies <folder>', 'folder of the policies (default: the configured one)')
    .addHelpText('after', help)
    .action(async (family: string, version: string, options: ReleaseOptions) => {
      try {
        await terminal.stdout.write(await release(family, version, options, terminal))
      } catch (error) {
        if (!(error instanceof ImagegateError)) throw error
        await terminal.stderr.write(errorReport(error))
        exit(exitOf(error))
      }
    })
}
