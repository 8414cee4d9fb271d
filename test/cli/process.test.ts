import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chmodSync, constants, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { settings } from '../../server/settings.ts'
import { build, example, imagegate, releasedPolicies, top } from './support.ts'

// Beside node_modules, so that the built program finds its packages.
const folder = t.testdir()
const main = build(folder)
const policies = join(folder, 'policies')
await releasedPolicies(policies)

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk)
  })
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

function program(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return spawn(main, args, { cwd: folder, env: { PATH: process.env['PATH'], ...environment } })
}

t.test('the built file runs by itself', async (t) => {
  t.match(readFileSync(main, 'utf8'), /^#!\/usr\/bin\/env node\n/)
  chmodSync(main, 0o755)
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  t.match(await ended(program(['--version'])), { code: 0, stdout: `${version}\n`, stderr: '' })
})

t.test('what npm run build leaves may be run by npx, however often it is built', (t) => {
  t.doesNotThrow(() => accessSync(join(top, 'dist', 'main.js'), constants.X_OK))
  t.end()
})

t.test('facts are piped in and JSON comes out, with the exit code of the outcome', async (t) => {
  const child = program(['evaluate'])
  child.stdin.end(readFileSync(example('linux/several-faults.json')))
  const ran = await ended(child)
  t.equal(ran.code, 1)
  t.equal(JSON.parse(ran.stdout).outcome, 'not_ready')
  t.equal(ran.stderr, '')
})

t.test('a reader that goes away ends it quietly', async (t) => {
  const one = JSON.stringify(JSON.parse(readFileSync(example('linux/ready.json'), 'utf8')))
  writeFileSync(join(folder, 'many.ndjson'), `${one}\n`.repeat(400))
  const child = program(['evaluate', 'many.ndjson'])
  child.stdout.once('data', () => child.stdout.destroy())
  const ran = await ended(child)
  t.equal(ran.code, 0)
  t.equal(ran.stderr, '')
  const shell = execFileSync('sh', ['-c', '"$0" evaluate many.ndjson | head -n 1 | wc -l', main], { cwd: folder })
  t.equal(String(shell).trim(), '1')
})

t.test('output that cannot be written is told', { skip: !existsSync('/dev/full') }, async (t) => {
  const script = '"$0" evaluate "$1" > /dev/full'
  const ran = await ended(spawn('sh', ['-c', script, main, example('linux/ready.json')]))
  t.equal(ran.code, 3)
  t.match(ran.stderr, /ENOSPC/)
})

t.test('NO_COLOR is honoured, and --color outdoes it', async (t) => {
  const file = example('linux/ready.json')
  const args = ['evaluate', file, '--format', 'human']
  t.notMatch((await ended(program([...args, '--color', 'auto'], { NO_COLOR: '1' }))).stdout, '\u001b[')
  t.match((await ended(program([...args, '--color', 'always'], { NO_COLOR: '1' }))).stdout, '\u001b[')
})

t.test('wrong use exits with 3, help and version with 0', async (t) => {
  for (const args of [[], ['polish'], ['evaluate', '--bogus'], ['policy'], ['verdicts', 'show']]) {
    const ran = await imagegate(args)
    t.equal(ran.code, 3, args.join(' '))
    t.equal(ran.stdout, '')
    t.not(ran.stderr, '')
  }
  const commands = ['', 'serve', 'evaluate', 'policy', 'policy list', 'policy show', 'policy release']
  for (const command of [...commands, 'verdicts', 'verdicts list', 'verdicts show', 'verdicts replay']) {
    const ran = await imagegate([...command.split(' ').filter((word) => word !== ''), '--help'])
    t.equal(ran.code, 0, command)
    for (const part of ['Examples:', 'Exit codes:', '  imagegate ']) t.match(ran.stdout, part, command)
    t.equal(ran.stderr, '')
  }
})

t.test('the help of serve names every environment variable', async (t) => {
  const { stdout } = await imagegate(['serve', '--help'])
  for (const { name, default: value } of settings) {
    t.match(stdout, name)
    t.ok(stdout.replaceAll(/\s+/g, ' ').includes(`Default: ${value}.`), name)
  }
})

t.test('a configuration that is not valid exits with 3 and names the variable', async (t) => {
  const ran = await imagegate(['serve'], { environment: { IMAGEGATE_PORT: 'eighty' } })
  t.equal(ran.code, 3)
  t.match(ran.stderr, /CONFIG_INVALID[\s\S]*\/IMAGEGATE_PORT: IMAGEGATE_PORT is not valid/)
})

t.test('serve prints where it is described and a command that works as printed', async (t) => {
  const child = program(['serve'], {
    IMAGEGATE_PORT: '0',
    IMAGEGATE_DATABASE_URL: `file:${join(folder, 'data', 'audit.db')}`,
    IMAGEGATE_POLICIES: policies,
  })
  const over = ended(child)
  let told = ''
  for await (const chunk of child.stderr) {
    told += String(chunk)
    if (told.includes('/v1/evaluations\n')) break
  }
  const docs = /The API description: (\S+)/.exec(told)?.[1] ?? ''
  t.equal((await fetch(docs)).status, 200)
  const [, file = '', url = ''] =
    /curl -sS -H 'Content-Type: application\/json' --data-binary @(\S+) (\S+)/.exec(told) ?? []
  t.equal(file, 'examples/linux/ready.json', 'as the shell in this directory names it')
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: readFileSync(join(folder, file)),
  })
  t.equal(answer.status, 201)
  const { id, outcome } = JSON.parse(await answer.text())
  t.equal(outcome, 'ready')
  const server = url.replace('/v1/evaluations', '')
  t.equal((await imagegate(['verdicts', 'replay', id, '--server', server])).code, 0)
  child.kill('SIGTERM')
  t.equal((await over).code, 0)
  cpSync(join(folder, 'data'), join(folder, 'kept'), { recursive: true })
  t.equal((await imagegate(['verdicts', 'replay', id, '--database', join(folder, 'kept', 'audit.db')])).code, 0)
})
