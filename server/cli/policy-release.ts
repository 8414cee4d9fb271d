import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import type { PolicyDiff } from '../documents/policy-diff.ts'
import type { PolicyLock } from '../documents/policy-lock.ts'
import { ImagegateError } from '../errors.ts'
import { basesOf } from '../policy/diff/bases.ts'
import { diffPolicies } from '../policy/diff/policy.ts'
import { compareSemver, findVersion, type PolicySet, type ReleasedPolicy } from '../policy/set.ts'
import { replaceFile } from '../replace-file.ts'
import type { Context } from './context.ts'
import { errorReport } from './error-report.ts'
import { exampleDocuments } from './example-documents.ts'
import { type ExitCode, exitCodes } from './exit.ts'
import { changelogFile, releaseEntry, withEntry } from './policy-changelog.ts'
import { versionProblem } from './policy-diff.ts'
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
    '1  a policy is not valid, this version was released with another digest, or it is raised too little for what it changes',
    '3  could not run: there is no such version, or a file cannot be read or written',
  ],
  [
    'A released version never changes: make a new version for a change, with policy new.',
    'Writes the digest into policies.lock.json and an entry into CHANGELOG.md beside it; an entry that is there already stays.',
  ],
)

function withPolicy(lock: PolicyLock, { family, version, digest, effectiveFrom }: ReleasedPolicy): PolicyLock {
  const policies = [...lock.policies, { family, version, digest, effectiveFrom }].sort(
    (a, b) => a.family.localeCompare(b.family, 'en') || compareSemver(a.version, b.version),
  )
  return { ...lock, policies }
}

/** The newest released version before this one. Throws POLICY_CHANGED when its file is not what was released. */
function previous(policies: PolicySet, lock: PolicyLock, policy: ReleasedPolicy): ReleasedPolicy | undefined {
  const { family, version } = policy
  const before = lock.policies
    .filter((one) => one.family === family && compareSemver(one.version, version) < 0)
    .sort((a, b) => compareSemver(a.version, b.version))
    .at(-1)
  if (before === undefined) return undefined
  const found = findVersion(policies, family, before.version)
  if (found?.digest === before.digest) return found
  const file = `${family}/${before.version}.yaml`
  const message =
    found === undefined
      ? 'The file is missing.'
      : `It was released as ${before.digest}; its digest is now ${found.digest}.`
  throw new ImagegateError('POLICY_CHANGED', 'The version before it is not what was released.', {
    problems: [{ file, message }],
  })
}

async function changeSince(before: ReleasedPolicy | undefined, after: ReleasedPolicy): Promise<PolicyDiff | undefined> {
  if (before === undefined) return undefined
  const named = (policy: ReleasedPolicy) => ({ name: `${policy.family}/${policy.version}`, policy })
  const bases = basesOf(after.family, await exampleDocuments(after.family))
  return diffPolicies(named(before), named(after), { bases })
}

async function writeChangelog(
  path: string,
  policy: ReleasedPolicy,
  diff: PolicyDiff | undefined,
  now: Date,
): Promise<void> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return undefined
    throw new ImagegateError('FILE_UNREADABLE', `${path} cannot be read.`, { cause: error })
  })
  const written = withEntry(text, policy, releaseEntry(policy, diff, now.toISOString().slice(0, 10)))
  if (written !== text) await replaceFile(path, written)
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
  const diff = await changeSince(previous(policies, lock, policy), policy)
  const problem = diff === undefined ? undefined : versionProblem(diff)
  if (problem !== undefined) throw problem
  await writeChangelog(join(dirname(lockPath), changelogFile), policy, diff, terminal.now())
  await replaceFile(lockPath, `${JSON.stringify(withPolicy(lock, policy), undefined, 2)}\n`)
  const change =
    diff === undefined ? 'the first of its family' : `a ${diff.required} change from ${diff.before.version}`
  return `${family} ${version} is released, ${change}: ${digest}\n`
}

const found = new Set(['POLICY_INVALID', 'POLICY_CHANGED', 'POLICY_VERSION_TOO_SMALL'])

/** Problems of the policies themselves are this command's finding and not its failure. */
function exitOf(error: ImagegateError): ExitCode {
  return found.has(error.code) ? exitCodes.notReady : exitCodes.couldNotRun
}

/** Adds `imagegate policy release`. */
export function addPolicyRelease(policy: Command, { terminal, exit }: Context): void {
  policy
    .command('release')
    .description(
      "Checks a version against the one before it and writes its digest into the lock, after which its file can't change.",
    )
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
