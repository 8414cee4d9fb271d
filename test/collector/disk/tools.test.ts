import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { ToolCall } from '../../../server/collector/tools/call.ts'
import { type ToolName, tools } from '../../../server/collector/tools/table.ts'
import { openToolbox, type Toolbox, type ToolboxOptions } from '../../../server/collector/tools/toolbox.ts'
import { plainNode } from '../../audit/child.ts'
import { makeDisk, makeExt } from './disks.ts'
import { make, without } from './programs.ts'

const skip = without('prlimit', 'setpriv', 'bash')
const sandboxes = ['auto', 'off'] as const

/** A toolbox in which the program called blkid is a shell, which may then do what a hostile program would. */
async function hostile(t: Test, options: Partial<ToolboxOptions> = {}): Promise<Toolbox> {
  const dir = join(t.testdirName, 'tools')
  for (const [name, path] of [
    ['blkid', '/usr/bin/bash'],
    ['prlimit', '/usr/bin/prlimit'],
    ['setpriv', '/usr/bin/setpriv'],
    ['bwrap', '/usr/bin/bwrap'],
  ] as const)
    await symlink(path, join(dir, name)).catch(() => undefined)
  const box = await openToolbox({ signal: AbortSignal.timeout(60_000), folders: [dir], ...options })
  t.teardown(() => box.close())
  return box
}

const shell = (box: Toolbox, script: string, limits = {}, writes = false) =>
  box.run({ tool: 'blkid', args: () => ['-c', script], limits, writes })

t.beforeEach((t) => {
  t.testdir({ tools: {}, secret: 'a secret of the host' })
})

t.test('a program sees an empty environment and, in a sandbox, nothing of the host', { skip }, async (t) => {
  process.env['IMAGEGATE_TEST_SECRET'] = 'a secret of the environment'
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const box = await hostile(t)
  const { stdout } = await shell(box, 'declare -x; echo; ls /; cat /proc/net/dev 2>&1; id -u')
  t.notMatch(stdout.toString(), /HOME|USER|secret/)
  if (!box.sandboxed) return
  t.notMatch(stdout.toString(), /^(home|root|tmp|proc|var|srv)$/m)
  t.match(stdout.toString(), /^65534$/m, 'no root')
  const secret = await shell(box, `cat '${join(t.testdirName, 'secret')}'; ls /etc; cat /etc/passwd`)
  t.notMatch(secret.stdout.toString(), /secret|root:/)
  const written = await shell(
    box,
    'for f in /x /usr/x /etc/x /dev/x /work/x; do (echo x > $f) 2>/dev/null && echo $f; done',
  )
  t.equal(written.stdout.toString(), '', 'nothing can be written')
  const allowed = await shell(box, 'echo hello > /work/out', {}, true)
  t.same(
    [...allowed.files].map(([name, bytes]) => [name, bytes.toString()]),
    [['out', 'hello\n']],
  )
  t.not((await shell(box, `exec 3<>/dev/tcp/127.0.0.1/${port}`)).code, 0, 'no network, not even to this machine')
})

t.test('what is asked when all is over begins no program and makes no folder', { skip }, async (t) => {
  for (const sandbox of sandboxes) {
    const box = await hostile(t, { sandbox })
    const asking = { tool: 'blkid', args: () => ['-c', 'cat'] } as const
    const session = await box.start(asking)
    t.ok(session.alive())
    const late = t.rejects(box.start(asking), { code: 'timed-out' }, 'begun just before')
    await box.close()
    await late
    await t.rejects(box.start(asking), { code: 'timed-out' })
    await t.rejects(shell(box, 'true', {}, true), { code: 'timed-out' })
    await t.rejects(stat(box.folder), { code: 'ENOENT' }, sandbox)
    for (let tries = 0; session.alive() && tries < 200; tries += 1) await sleep(20)
    t.notOk(session.alive(), 'what ran has ended')
  }
})

t.test('of programs that may take much memory one runs at a time, beside others', { skip }, async (t) => {
  const box = await hostile(t, { sandbox: 'off' })
  const folder = await box.makeFolder('marks')
  // Each leaves a mark for its time, and tells of that of another.
  const script = 'cd "$0"; for i in 1 2 3 4 5 6 7 8; do ls; : > $$; sleep 0.1; done; rm $$'
  const most = async (more: Pick<ToolCall, 'heavy'>) => {
    const call = { tool: 'blkid', args: () => ['-c', script, folder], ...more } as const
    const said = (await Promise.all([box.run(call), box.run(call), box.run(call)])).map(({ stdout }) => `${stdout}`)
    return Math.max(...said.map((text) => new Set(text.split('\n').filter(Boolean)).size))
  }
  t.equal(await most({ heavy: true }), 1, 'each saw its own mark alone')
  t.ok((await most({})) > 1)
})

t.test('time, output and file sizes are limited, with and without a sandbox', { skip }, async (t) => {
  for (const sandbox of sandboxes) {
    const box = await hostile(t, { sandbox })
    const start = performance.now()
    await t.rejects(shell(box, 'sleep 30 & sleep 30', { seconds: 1 }), { code: 'timed-out' }, sandbox)
    t.ok(performance.now() - start < 5000)
    await t.rejects(shell(box, 'while :; do echo y; done', { stdoutBytes: 10_000 }), { code: 'too-large' })
    await t.rejects(shell(box, 'while :; do :; done', { seconds: 1 }), { code: 'timed-out' })
    await t.rejects(shell(box, 'kill -SEGV $$'), { code: 'tool-failed' })
    const own = 'cd /work 2>/dev/null || cd "$0"'
    const folder = box.run({
      tool: 'blkid',
      writes: true,
      args: ({ folder }) => ['-c', `${own}; exec head -c 100000 /dev/zero > big`, folder],
      limits: { fileBytes: 1000 },
    })
    await t.rejects(folder, { code: 'too-large' }, 'a large file')
    const limits = await shell(box, 'ulimit -v; ulimit -d; ulimit -s; ulimit -t; ulimit -f; ulimit -c', {
      seconds: 9,
      fileBytes: 2048,
    })
    t.equal(
      limits.stdout.toString(),
      '2097152\n131072\n1024\n9\n2\n0\n',
      'address space, memory and stack in KiB, seconds, file size in KiB, no core',
    )
    const greedy = 'a=x; while :; do a=$a$a; done'
    await t.rejects(shell(box, greedy), { code: 'too-large', message: /more memory than it may have/ })
    t.equal((await shell(box, 'exit 7')).code, 7, 'an exit status is a result')
  }
})

t.test(
  'what a program prints goes to a new file where that is wanted, as far as a file may grow',
  { skip },
  async (t) => {
    for (const sandbox of sandboxes) {
      const box = await hostile(t, { sandbox })
      const print = (script: string, name: string) =>
        box.run({
          tool: 'blkid',
          args: () => ['-c', script],
          output: join(box.folder, name),
          limits: { fileBytes: 10_000 },
        })
      const { stdout } = await print('echo hello', 'hello')
      t.equal(stdout.length, 0)
      t.equal(await readFile(join(box.folder, 'hello'), 'utf8'), 'hello\n')
      await t.rejects(print('while :; do echo y; done', 'endless'), { code: 'too-large' })
      t.ok((await readFile(join(box.folder, 'endless'))).length <= 10_000)
      await t.rejects(print('echo other', 'hello'), { code: 'EEXIST' }, 'never into a file that is there')
      t.equal(await readFile(join(box.folder, 'hello'), 'utf8'), 'hello\n')
    }
  },
)

t.test('a link that a program leaves is not followed', { skip }, async (t) => {
  const box = await hostile(t, { sandbox: 'off' })
  const result = await box.run({
    tool: 'blkid',
    writes: true,
    args: ({ folder }) => ['-c', 'ln -s "$0" "$1/out"; echo x > "$1/file"', join(t.testdirName, 'secret'), folder],
  })
  t.same([...result.files.keys()], ['file'])
})

t.test('a missing program is named with the Debian package that brings it', async (t) => {
  const box = await openToolbox({ signal: AbortSignal.timeout(10_000), folders: [join(t.testdirName, 'tools')] })
  t.teardown(() => box.close())
  for (const name of Object.keys(tools) as ToolName[])
    await t.rejects(
      box.find(name),
      { code: 'tool-missing', message: `install the Debian package ${tools[name].package}.` },
      name,
    )
})

t.test('toolboxes do not see each other and leave nothing', { skip }, async (t) => {
  const one = await hostile(t)
  const other = await hostile(t)
  t.not(one.folder, other.folder)
  await Promise.all([shell(one, 'exit 0'), shell(other, 'exit 0')])
  t.same(await readdir(join(one.folder, 'calls')), ['mtab'])
  await one.close()
  await t.rejects(readdir(one.folder), { code: 'ENOENT' })
})

/** The processes that read an image, by what stands on their command lines. */
async function processes(mark: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const line = await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '')
    if (line.includes(mark) && line.includes('qemu-storage-daemon')) found.push(pid)
  }
  return found
}

t.test(
  'when we are killed, the daemon and its mounts end too',
  { skip: skip || without('qemu-storage-daemon', 'qemu-img', 'mkfs.ext4', 'sfdisk') },
  async (t) => {
    const dir = t.testdir({ tree: {} })
    const raw = await makeDisk(join(dir, 'disk.img'), 'dos', [
      { type: '83', file: await makeExt(join(dir, 'fs'), join(dir, 'tree')) },
    ])
    const path = join(dir, 'disk.qcow2')
    await make('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, path)
    const child = join(dir, 'child.ts')
    const image = fileURLToPath(new URL('../../../server/collector/image.ts', import.meta.url))
    for (const sandbox of sandboxes) {
      await writeFile(
        child,
        `import { openImage } from '${image}'\nawait openImage('${path}', { sandbox: '${sandbox}' })\nconsole.log('open')\nsetInterval(() => undefined, 1000)\n`,
      )
      const [command = '', ...args] = plainNode.command
      const started: ChildProcess = spawn(command, [...args, child], {
        env: { ...plainNode.env, TMPDIR: dir },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      if (started.stdout) await once(started.stdout, 'data')
      t.ok((await processes(sandbox === 'off' ? 'monitor' : path)).length > 0, sandbox)
      const before = sandbox === 'off' ? await processes('monitor') : await processes(path)
      started.kill('SIGKILL')
      await once(started, 'exit')
      let left = before
      for (let tries = 0; tries < 100 && left.length > 0; tries += 1) {
        await sleep(50)
        const now = new Set(await processes(sandbox === 'off' ? 'monitor' : path))
        left = before.filter((pid) => now.has(pid))
      }
      t.same(left, [], `${sandbox}: no daemon is left`)
      t.notMatch(await readFile('/proc/self/mounts', 'utf8'), dir, `${sandbox}: no mount is left`)
    }
  },
)
