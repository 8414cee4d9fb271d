import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readRevision } from '../../server/cli/policy-revision.ts'
import { processTerminal } from '../../server/cli/terminal.ts'
import { sha256 } from '../../server/digest.ts'
import { ImagegateError } from '../../server/errors.ts'
import { top } from './support.ts'

const folder = t.testdir()
const terminal = processTerminal()
const path = 'policies/linux/1.0.0.yaml'
const shipped = readFileSync(join(top, path), 'utf8')

/** A repository with the Linux policy committed, changed twice, and tagged before. */
function repository(): string {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Author', '-c', 'user.email=author@example.org', ...args], { cwd: folder })
  mkdirSync(join(folder, 'policies', 'linux'), { recursive: true })
  cpSync(join(top, path), join(folder, path))
  git('init', '--quiet', '--initial-branch', 'main')
  git('add', '.')
  git('commit', '--quiet', '--message', 'first')
  git('tag', 'v1')
  writeFileSync(join(folder, path), `${shipped}# later\n`)
  git('commit', '--quiet', '--all', '--message', 'second')
  writeFileSync(join(folder, path), `${shipped}# not committed\n`)
  return folder
}

const directory = repository()
const read = (name: string) => readRevision(name, { directory, policies: 'policies' }, terminal)

async function refusal(name: string): Promise<ImagegateError> {
  try {
    await read(name)
  } catch (error) {
    if (error instanceof ImagegateError) return error
    throw error
  }
  throw new Error(`${name} was read`)
}

t.test('a version, a file and a git revision are read, each with its own bytes', async (t) => {
  const later = sha256(`${shipped}# later\n`)
  t.equal((await read('linux/1.0.0')).digest, sha256(`${shipped}# not committed\n`))
  t.equal((await read(path)).digest, sha256(`${shipped}# not committed\n`))
  t.equal((await read(`./${path}`)).digest, sha256(`${shipped}# not committed\n`))
  t.equal((await read(`HEAD:${path}`)).digest, later)
  t.equal((await read(`main:${path}`)).digest, later)
  const first = await read(`v1:${path}`)
  t.match(first, { family: 'linux', version: '1.0.0', digest: sha256(shipped), text: shipped })
  t.equal(first.policy.rules.length, 31)
})

t.test('a file may stand anywhere, and a version only where it belongs', async (t) => {
  writeFileSync(join(directory, 'draft: one.yaml'), shipped)
  t.equal((await read('./draft: one.yaml')).digest, sha256(shipped))
  writeFileSync(join(directory, 'policies', 'linux', '2.0.0.yaml'), shipped)
  const error = await refusal('linux/2.0.0')
  t.equal(error.code, 'POLICY_INVALID')
  t.match(error.problems, [{ file: 'linux/2.0.0.yaml', message: /belongs at linux\/1\.0\.0\.yaml/ }])
})

t.test('what cannot be read is told with its name, and nothing is taken for an option of git', async (t) => {
  for (const name of ['linux/9.9.9', 'nowhere.yaml', `nobranch:${path}`, 'HEAD:nowhere.yaml', `--help:${path}`]) {
    const error = await refusal(name)
    t.equal(error.code, 'FILE_UNREADABLE', name)
    t.ok(error.message.startsWith(name), error.message)
  }
  t.match((await refusal(`nobranch:${path}`)).message, /nobranch/)
})

t.test('a broken policy is told with file, line and column', async (t) => {
  writeFileSync(join(directory, 'broken.yaml'), shipped.replace('operator: in,', 'operator: inn,'))
  const line = shipped.split('\n').findIndex((one) => one.includes('operator: in,')) + 1
  const error = await refusal('broken.yaml')
  t.equal(error.code, 'POLICY_INVALID')
  t.match(error.problems[0], { file: 'broken.yaml', line })
})
