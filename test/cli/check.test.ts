import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import t from 'tap'
import { offlineJudge } from '../../server/cli/check-judge.ts'
import { checkImages } from '../../server/cli/check-run.ts'
import { type Collect, collector } from '../../server/cli/collect-image.ts'
import { Output } from '../../server/cli/output.ts'
import type { Place } from '../../server/cli/report-answer.ts'
import { start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import type { Verdict } from '../../server/documents/verdict.ts'
import { matches } from '../../server/schemas.ts'
import {
  asQcow2,
  canary,
  digestOf,
  littleDebian,
  overwritten,
  programsMissing,
  smallImage,
} from '../collector/small-image.ts'
import { build, imagegate, releasedPolicies } from './support.ts'
import { parseXml } from './xml.ts'

const folder = t.testdir()
const skip = await programsMissing([
  'mke2fs',
  'sfdisk',
  'qemu-img',
  'blkid',
  'tune2fs',
  'debugfs',
  'prlimit',
  'setpriv',
])
const policies = await releasedPolicies(join(folder, 'policies'))
const environment = { IMAGEGATE_POLICIES: policies }
const check = (args: readonly string[], given = {}) => imagegate(['check', ...args], { environment, ...given })

const image = skip === false ? smallImage(folder, 'disk.raw') : ''
const qcow2 = skip === false ? asQcow2(image, join(folder, 'disk.qcow2')) : ''
const empty = join(folder, 'empty.raw')
writeFileSync(empty, '')
const vmdk = join(folder, 'x.vmdk')
writeFileSync(vmdk, Buffer.concat([Buffer.from('KDMV\u0001\0\0\0', 'latin1'), Buffer.alloc(4088)]))
const none = join(folder, 'none.raw')

const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

t.test('an image is collected and judged in one go', { skip }, async (t) => {
  const before = digestOf(image)
  const ran = await check([image])
  const verdict: unknown = JSON.parse(ran.stdout)
  if (!matches('verdict', verdict)) throw new Error('no verdict')
  t.equal(ran.code, 1)
  t.match(verdict, {
    outcome: 'not_ready',
    subject: { imageName: 'disk.raw', osId: 'debian' },
    policy: { family: 'linux' },
  })
  const resultOf = (rule: string) => verdict.findings.find((finding) => finding.rule === rule)?.result
  t.equal(resultOf('linux.ext4.64bit'), 'pass')
  t.equal(resultOf('linux.cloud-init.installed'), 'fail')
  t.equal(resultOf('linux.root-password.complexity'), 'unknown')
  t.equal(digestOf(image), before)
  t.notMatch(ran.stdout, canary.slice(3, 15))
  const facts = await imagegate(['collect', image])
  const judged = JSON.parse((await imagegate(['evaluate'], { environment, stdin: facts.stdout })).stdout)
  t.equal(judged.factsDigest, verdict.factsDigest, 'the same as collect and evaluate')
  t.same(judged.findings, verdict.findings)
})

t.test('as many images as there are jobs are open at the same time, and never more', { skip }, async (t) => {
  const terminal = {
    stdin: Readable.from([]),
    stdout: new Output(new PassThrough().resume()),
    stderr: new Output(new PassThrough().resume()),
    colourUnwanted: true,
    now: () => new Date('2026-11-20T09:30:00Z'),
    config: () => readConfig(environment),
  }
  const flags = { attest: [], timeLimit: 120 }
  const reallyCollect = await collector(flags, [], terminal)
  for (const [jobs, images] of [
    [2, [image, qcow2, image, qcow2]],
    [3, [image, qcow2, image, qcow2, image, image]],
  ] as const) {
    const late = AbortSignal.timeout(60_000)
    const waiting: (() => void)[] = []
    let [open, most] = [0, 0]
    // Each goes on only when as many are open as there are jobs: read one after the other, the first would wait for ever.
    const collect: Collect = async (path, ...rest) => {
      open += 1
      most = Math.max(most, open)
      if (open === jobs) for (const go of waiting.splice(0)) go()
      else await Promise.race([new Promise<void>((go) => waiting.push(go)), once(late, 'abort')])
      late.throwIfAborted()
      try {
        return await reallyCollect(path, ...rest)
      } finally {
        open -= 1
      }
    }
    const answered: string[] = []
    const writer = {
      verdict: async ({ file = '' }: Place, { outcome }: Verdict) => {
        answered.push(`${file} ${outcome}`)
      },
      problem: async ({ file = '' }: Place, error: Error) => {
        answered.push(`${file} ${error.message}`)
      },
      end: async () => undefined,
    }
    const judge = () => offlineJudge(policies, {}, terminal)
    const { stderr } = terminal
    const run = { collect, judge, writer, signal: late, stderr, brief: false, jobs, failOn: 'not-ready' } as const
    await checkImages(images, run)
    t.equal(most, jobs)
    t.same(
      answered,
      images.map((path) => `${path} not_ready`),
    )
  }
})

t.test('several images are answered in their order, whatever the number of jobs', { skip }, async (t) => {
  const given = [qcow2, none, vmdk, empty, image]
  for (const jobs of ['1', '3']) {
    const ran = await check([...given, '--jobs', jobs])
    t.equal(ran.code, 3)
    t.same(
      lines(ran.stdout).map(({ file, verdict, problem }) => [file, verdict?.outcome ?? problem.code]),
      [
        [qcow2, 'not_ready'],
        [none, 'FILE_UNREADABLE'],
        [vmdk, 'not_ready'],
        [empty, 'undetermined'],
        [image, 'not_ready'],
      ],
    )
    t.match(ran.stderr, /none\.raw: FILE_UNREADABLE/)
  }
})

t.test('the exit code is the worst', { skip }, async (t) => {
  t.equal((await check([empty])).code, 2)
  t.equal((await check([empty, vmdk])).code, 1)
  t.equal((await check([empty, none])).code, 3)
  t.equal((await check(['--jobs', '0', empty])).code, 3)
  t.equal((await check([empty, '--jobs', 'many'])).code, 3)
  t.equal((await check([])).code, 3)
})

t.test('the report goes to a file in the form of its ending', { skip }, async (t) => {
  const forms: readonly (readonly [string, RegExp])[] = [
    ['report.html', /^<!doctype html>/],
    ['report.md', /^## NOT READY: /],
    ['report.sarif', /"version": "2\.1\.0"/],
    ['report.xml', /^<\?xml version="1\.0"/],
    ['report.json', /^\{"alternatives"/],
    ['report.txt', /^NOT READY\n/],
  ]
  for (const [name, form] of forms) {
    const output = join(folder, name)
    const ran = await check([image, '--output', output])
    t.equal(ran.code, 1)
    t.equal(ran.stdout, '')
    t.match(readFileSync(output, 'utf8'), form)
    t.match(ran.stderr, /disk\.raw: NOT READY \(\d+ block, \d+ warn, \d+ of \d+ pass\)/)
    t.match(ran.stderr, `${name} was written.`)
  }
  const named = await check([image, '--output', join(folder, 'report.html'), '--format', 'junit'])
  t.equal(named.code, 1)
  t.ok(parseXml(readFileSync(join(folder, 'report.html'), 'utf8')).length > 30)
  t.match((await check([image, '--output', join(folder, 'no', 'such', 'folder')])).stderr, /ENOENT/)
})

t.test('options are those of an evaluation', { skip }, async (t) => {
  const asked = ['--import-as', 'others-linux', '--system-disk', '40GiB', '--as-of', '2021-06-01', '--digest']
  const verdict = JSON.parse((await check([image, ...asked])).stdout)
  t.match(verdict, {
    options: { importAs: 'others-linux', systemDisk: { sizeBytes: 42_949_672_960 } },
    policy: { family: 'nonstandard-linux', selectedBy: 'asOf' },
    subject: { imageDigest: `sha256:${digestOf(image)}` },
  })
  t.match(JSON.parse((await check([image, '--policy-version', '1.0.0'])).stdout).policy, { selectedBy: 'pin' })
  for (const wrong of [
    ['--system-disk', '40GB'],
    ['--as-of', 'now'],
    ['--server', 'x', '--policies', policies],
    ['--server', 'x'],
  ]) {
    const ran = await check([image, ...wrong])
    t.equal(ran.code, 3, wrong.join(' '))
    t.equal(ran.stdout, '')
  }
})

t.test('what is attested decides, for every image that is named', { skip }, async (t) => {
  const attest = join(folder, 'attest.yaml')
  writeFileSync(
    attest,
    'schema: imagegate.attestation/1\nby: Jane\nat: 2026-11-20T09:30:00Z\nfacts: { files: { systemFiles: { baseline: dpkg, verification: match, modified: [] } } }\n',
  )
  const ran = await check([image, qcow2, '--attest', attest, '--attest-password', 'root'], { stdin: 'Long.Enough.1\n' })
  for (const { verdict } of lines(ran.stdout)) {
    const results = new Map(verdict.findings.map((one: { rule: string; result: string }) => [one.rule, one.result]))
    t.equal(results.get('linux.system-files.unmodified'), 'pass')
    t.equal(results.get('linux.root-password.complexity'), 'pass')
  }
  const against = join(folder, 'against.yaml')
  writeFileSync(against, readFileSync(attest, 'utf8').replace(/facts: .*/, 'facts: { os: { id: ubuntu } }'))
  const refused = await check([image, empty, '--attest', against])
  t.equal(refused.code, 3)
  t.match(lines(refused.stdout)[0], { problem: { code: 'ATTESTATION_INVALID', problems: [{ pointer: '/os/id' }] } })
  t.match(lines(refused.stdout)[1], { verdict: { subject: { osId: 'ubuntu' } } })
})

t.test('a server judges and records', { skip }, async (t) => {
  const settings = {
    ...environment,
    IMAGEGATE_DATABASE_URL: `file:${join(folder, 'audit.db')}`,
    IMAGEGATE_PORT: '0',
    IMAGEGATE_LOG_LEVEL: 'silent',
  }
  const running = await start(readConfig(settings))
  try {
    const ran = await check([image, '--server', running.url, '--import-as', 'others-linux'])
    t.equal(ran.code, 2)
    const verdict = JSON.parse(ran.stdout)
    t.match(verdict, { id: /^[0-9a-f-]{36}$/, options: { importAs: 'others-linux' } })
    const stored = await fetch(`${running.url}/v1/verdicts/${verdict.id}`)
    t.same(await stored.json(), verdict)
    const wrong = await check([image, '--server', running.url, '--as-of', '2019-01-01'])
    t.equal(wrong.code, 3)
    t.match(wrong.stderr, /POLICY_NOT_IN_FORCE/)
  } finally {
    await running.close()
  }
  const gone = await check([image, '--server', running.url])
  t.equal(gone.code, 3)
  t.match(gone.stderr, /SERVER_UNREACHABLE/)
})

t.test('strings of a hostile guest act in no report', { skip }, async (t) => {
  const hostile = `\u001b[2J\u202e</style><script>alert(1)</script>]]>|\`id\` $(reboot) @someone`
  const files = {
    ...littleDebian,
    '/usr/lib/os-release': `ID=plan9\nVERSION_ID="10"\nNAME='${hostile}'\n`,
    '/etc/fstab': `UUID=11111111-2222-3333-4444-555555555555 / ext4 defaults 0 1\n/dev/disk/by-label/${hostile.replaceAll(' ', '\\040')} /data ext4 defaults 0 2\n`,
  }
  const evil = smallImage(folder, 'evil\u001b[2J<b>.raw', { files, label: '<b>`x`|' })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not appear
  const acting = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/
  for (const format of ['human', 'json', 'markdown', 'html', 'sarif', 'junit']) {
    const ran = await check([evil, '--format', format, '--verbose'])
    t.equal(ran.code, 1, format)
    t.notMatch(ran.stdout, acting, format)
    t.notMatch(ran.stderr, acting, format)
    if (format === 'html') t.notMatch(ran.stdout, /<script|<b>`/)
    if (format === 'junit') parseXml(ran.stdout)
  }
})

t.test('a signal ends the programs, and nothing stays behind', { skip }, async (t) => {
  const program = join(folder, 'program')
  mkdirSync(program)
  const main = build(program)
  const temporary = join(folder, 'temporary')
  mkdirSync(temporary)
  const big = overwritten(image, join(folder, 'slow.raw'), 0, Buffer.alloc(0))
  const child = spawn(process.execPath, [main, 'check', big, big, big, big, '--jobs', '1', '--policies', policies], {
    env: { PATH: process.env['PATH'], TMPDIR: temporary },
  })
  const seen = new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (readdirSync(temporary).length === 0) return
      clearInterval(timer)
      resolve()
    }, 2)
    child.once('close', () => {
      clearInterval(timer)
      resolve()
    })
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += String(chunk)
  })
  await seen
  child.kill('SIGINT')
  const [code, signal] = await once(child, 'close')
  t.same([code, signal], [3, null])
  t.match(said, /stopped by a signal/)
  t.same(readdirSync(temporary), [])
})
