import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { PolicyLock } from '../documents/policy-lock.ts'
import { ImagegateError } from '../errors.ts'
import { lockFile } from '../policy/load.ts'
import { brokenReleases, parseLock } from '../policy/lock.ts'
import { compareSemver, type ReleasedPolicy } from '../policy/set.ts'
import { errorReport } from './error-report.ts'
import { type ExitCode, exitCodes } from './exit.ts'
import { git, reasonOf } from './git.ts'
import { Output } from './output.ts'
import { diffRevisions, versionProblem } from './policy-diff.ts'
import { humanDiff } from './policy-diff-human.ts'
import { markdownDiff } from './policy-diff-markdown.ts'
import { countsText, versionText } from './policy-diff-text.ts'
import type { PolicyFolder } from './policy-folder.ts'
import type { Terminal } from './terminal.ts'
import { layoutOf } from './verdict-writer.ts'

/** One thing that the gate looks at, and what came of it. */
export interface GateStep {
  /** What was run, as one would run it by itself. */
  readonly name: string
  readonly code: ExitCode
  /** One line. */
  readonly says: string
  /** Its own report, for people. */
  readonly text: string
  /** The same as Markdown, where it has such a form. */
  readonly markdown?: string
}

/** Runs another policy command with arguments, its streams caught. */
export type RunCommand = (args: readonly string[], terminal: Terminal) => Promise<ExitCode>

const meanings: Readonly<Record<ExitCode, string>> = { 0: 'fine', 1: 'problems', 2: 'undecided', 3: 'could not run' }

function caught(): { output: Output; text(): string } {
  const parts: string[] = []
  const stream = new Writable({
    write(part: Buffer, _encoding, done) {
      parts.push(part.toString())
      done()
    },
  })
  return { output: new Output(stream), text: () => parts.join('') }
}

/** A step that is another command. What it says in one line is shown beside its result. */
export async function commandStep(
  name: string,
  args: readonly string[],
  run: RunCommand,
  terminal: Terminal,
): Promise<GateStep> {
  const [stdout, stderr] = [caught(), caught()]
  const code = await run([...args, '--format', 'human'], { ...terminal, stdout: stdout.output, stderr: stderr.output })
  const text = `${stdout.text()}${stderr.text()}`
  const lines = text.trim().split('\n')
  return { name, code, says: lines.length === 1 && text !== '' ? text.trim() : meanings[code], text }
}

async function lockAt(base: string, folder: string): Promise<PolicyLock> {
  if (base.startsWith('-')) throw new ImagegateError('FILE_UNREADABLE', `${base} is no git revision.`)
  try {
    const commit = (await git(['rev-parse', '--verify', '--quiet', `${base}^{commit}`], folder)).trim()
    if ((await git(['ls-tree', '--name-only', commit, '--', lockFile], folder)).trim() === '')
      return { schema: 'imagegate.policy-lock/1', policies: [] }
    return parseLock(await git(['cat-file', 'blob', `${commit}:./${lockFile}`], folder), `${base}:${lockFile}`)
  } catch (cause) {
    if (cause instanceof ImagegateError) throw cause
    const detail = `git does not know the policies of ${base} (${reasonOf(cause)}).`
    throw new ImagegateError('FILE_UNREADABLE', detail, { cause })
  }
}

/** What came since a revision: what was not released there, and what its lock says otherwise than ours. */
export async function sinceBase(
  base: string,
  folder: string,
  { policies }: Pick<PolicyFolder, 'policies'>,
): Promise<{ candidates: readonly ReleasedPolicy[]; step: GateStep }> {
  const before = await lockAt(base, folder)
  const now = parseLock(await readFile(join(folder, lockFile), 'utf8'), lockFile)
  const problems = brokenReleases(before, now, lockFile)
  const candidates = policies.versions.filter(
    ({ family, version }) => !before.policies.some((one) => one.family === family && one.version === version),
  )
  const names = candidates.map(({ family, version }) => `${family}/${version}`).join(', ')
  const error = new ImagegateError('POLICY_CHANGED', `Releases of ${base} are not what they were.`, { problems })
  const step: GateStep = {
    name: `releases since ${base}`,
    code: problems.length > 0 ? exitCodes.notReady : exitCodes.ready,
    says: problems.length > 0 ? `${problems.length} changed` : names === '' ? 'nothing new' : `new: ${names}`,
    text: problems.length > 0 ? errorReport(error) : '',
  }
  return { candidates, step }
}

/** What a candidate means beside the version before it. Its version must be raised enough; that it changes something is no problem. */
export async function diffStep(
  candidate: ReleasedPolicy,
  { versions }: PolicyFolder['policies'],
  folder: string,
  terminal: Terminal,
): Promise<GateStep> {
  const { family, version } = candidate
  const after = `${family}/${version}`
  const before = versions.findLast((one) => one.family === family && compareSemver(one.version, version) < 0)
  if (before === undefined) return { name: `diff ${after}`, code: exitCodes.ready, says: 'the first version', text: '' }
  const name = `diff ${family}/${before.version} ${after}`
  const diff = await diffRevisions(`${family}/${before.version}`, after, { policies: folder }, terminal)
  const problem = versionProblem(diff)
  return {
    name,
    code: problem === undefined ? exitCodes.ready : exitCodes.notReady,
    says: `${countsText(diff)}; ${versionText(diff)}`,
    text: `${humanDiff(diff, layoutOf(terminal, { color: 'never' }))}${problem === undefined ? '' : errorReport(problem)}`,
    markdown: markdownDiff(diff),
  }
}
