import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Changes } from '../images/changes.ts'
import { convert } from '../images/containers.ts'
import { canary, hashCanary } from '../images/debian10.ts'
import { copyFile, patch } from '../images/disk.ts'
import { craftedDisk } from '../images/linux-disks.ts'
import { centosFiles } from '../images/linux-images.ts'
import { run } from '../images/run.ts'
import { sha256, workFolder } from './check.ts'
import { noCrafted } from './prepared.ts'
import { program, runProgram, scratch } from './program.ts'

const formats = ['human', 'json', 'markdown', 'html', 'sarif', 'junit'] as const

/** Characters that act on a terminal or hide, but for the line feed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not appear
const acting = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202e]/

/** Links and includes of a guest that lead to a file of the host. */
const leading = (host: string): Changes => ({
  '/usr/lib/os-release': { link: host },
  '/etc/issue': { link: host },
  '/etc/centos-release': { link: `../../../../..${host}` },
  '/etc/machine-id': { link: host },
  '/etc/ssh/sshd_config': `Include ${host}\nPort 22\n`,
  '/etc/cloud/cloud.cfg': { link: host },
  '/boot/grub2/grubenv': { link: host },
  '/boot/grub2/grub.cfg': `source ${host}\nconfigfile ${host}\n`,
  '/etc/sysconfig/network': `. ${host}\n`,
  '/etc/sysconfig/network-scripts/ifcfg-eth1': { link: host },
  '/etc/nftables.conf': `include "${host}"\n`,
})

/** Names and values of a guest that act on a terminal or look like markup. */
const acts: Changes = {
  '/etc/sysconfig/network-scripts/ifcfg-\u001b[31mred': 'DEVICE="\u001b]0;title\u0007"\nBOOTPROTO=static\nONBOOT=yes\n',
  '/usr/lib/os-release':
    'ID="\u001b[2Jevil"\nNAME="<script>alert(1)</script>\u202e"\nVERSION_ID="7"\nPRETTY_NAME="\u009b31m"\n',
  '/etc/fstab': 'UUID=\u001b[31m /\u001b[0m ext4 defaults 0 0\n<img/src=x> /mnt ext4 defaults 0 0\n',
}

async function attacks(folder: string, host: string): Promise<readonly string[]> {
  const disk = (name: string) => join(folder, name)
  const qcow2 = (name: string, ...args: readonly string[]) =>
    run('qemu-img', ['create', '-q', '-f', 'qcow2', ...args.slice(0, -1), disk(name), args.at(-1) ?? '1M'])
  const good = await centosFiles('centos7', undefined)
  await craftedDisk(disk('plain.raw'), good, 24)
  await craftedDisk(disk('links.raw'), { ...good, ...leading(host) }, 24)
  await craftedDisk(disk('acts.raw'), { ...good, ...acts }, 24)
  await convert(disk('links.raw'), disk('links.qcow2'), 'qcow2')
  await qcow2('backing.qcow2', '-F', 'raw', '-b', host, '1M')
  await qcow2('backing-json.qcow2', '-u', '-F', 'raw', '-b', `json:{"driver":"file","filename":"${host}"}`, '1M')
  await run('cp', [host, disk('data')])
  await qcow2('data-file.qcow2', '-o', `data_file=${disk('data')},data_file_raw=on`, '1M')
  await run('cp', [host, disk('data')])
  await copyFile(disk('backing.qcow2'), disk('probed.raw'))
  await run('truncate', ['--size=8M', disk('probed.raw')])
  await patch(disk('probed.raw'), 510, Buffer.from('55aa', 'hex'))
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', disk('probed.raw'), disk('nested.qcow2')])
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'vpc', disk('probed.raw'), disk('nested.vhd')])
  const flat = `# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 2048 FLAT "${host}" 0\n`
  writeFileSync(disk('descriptor.raw'), flat.padEnd(1_048_576, '\n'))
  await qcow2('bomb.qcow2', '-o', 'cluster_size=2M', '60P')
  return readdirSync(folder)
    .filter((name) => /\.(raw|qcow2|vhd)$/.test(name))
    .map(disk)
}

t.test('nothing of the host and no hash of the guest comes out, in any format', { skip: noCrafted }, async (t) => {
  const folder = await workFolder(t)
  chmodSync(folder, 0o755)
  const main = program(folder)
  const host = join(folder, 'host-file')
  writeFileSync(host, `ID=${canary}\n${canary}\n`.padEnd(1_048_576, `${canary}\n`))
  mkdirSync(join(folder, 'images'))
  const images = await attacks(join(folder, 'images'), host)
  const before = await Promise.all(images.map(sha256))
  for (const format of formats) {
    const temporary = scratch(folder, `tmp-${format}`)
    const args = ['check', '--verbose', '--format', format, ...images]
    const ran = await runProgram(main, args, { temporary, watchFor: canary })
    t.equal(ran.code, 1, `${format}: at least one fails, and all were read`)
    for (const image of images) t.match(ran.stdout, image.slice(image.lastIndexOf('/') + 1))
    const said = ran.stdout + ran.stderr
    t.notMatch(said, canary, 'no text of the host')
    t.notMatch(said, hashCanary.slice(3, 13), 'no hash')
    t.notMatch(said, /\n {4}at .*\.js:/, 'no trace of a stack')
    if (format === 'json') t.match(said, '"osId":"centos"', 'the guests themselves were read')
    t.notOk(acting.test(said), 'nothing acts on a terminal')
    t.notMatch(said, '<script>alert', 'nothing becomes markup')
    t.same(ran.seen, [], 'no temporary file held it')
    t.same(readdirSync(temporary), [], 'no temporary file is left')
  }
  const temporary = scratch(folder, 'tmp-collect')
  for (const image of images) {
    const output = join(folder, 'facts.json')
    const args = ['collect', '--system-files', '--output', output, image]
    const ran = await runProgram(main, args, { temporary, watchFor: canary })
    t.equal(ran.code, 0)
    const said = ran.stdout + ran.stderr + readFileSync(output, 'utf8')
    t.notMatch(said, canary)
    t.notMatch(said, hashCanary.slice(3, 13))
    t.notOk(acting.test(said), 'nothing acts on a terminal')
    t.same(ran.seen, [])
  }
  t.same(await Promise.all(images.map(sha256)), before, 'no image changed')
})

t.test('a name that means something to another program is but a name', { skip: noCrafted }, async (t) => {
  const folder = await workFolder(t)
  chmodSync(folder, 0o755)
  const main = program(folder)
  const plain = join(folder, 'plain')
  await craftedDisk(plain, await centosFiles('centos7', undefined), 24)
  const names = [
    'json:{"driver":"null-co"}',
    'nbd:localhost:10809',
    'a,file.filename=b',
    '-rf',
    '$(touch x)',
    'quo"te\'s',
    'esc\u001b[31m\u0007',
    'line\nfeed',
    'x?offset=1',
    'ümlaut \u202e',
  ]
  const temporary = scratch(folder, 'tmp')
  let first: string | undefined
  for (const name of names) {
    const path = join(folder, name)
    await copyFile(plain, path)
    const ran = await runProgram(main, ['check', '--format', 'json', path], { temporary })
    t.notOk(acting.test(ran.stdout + ran.stderr), JSON.stringify(name))
    const findings = JSON.stringify(JSON.parse(ran.stdout).findings)
    first ??= findings
    t.equal(findings, first, 'the verdict is that of the disk')
  }
  t.notOk(readdirSync(folder).includes('x'))
})

t.test('what is no file is refused with a clear message', { skip: noCrafted }, async (t) => {
  const folder = await workFolder(t)
  const main = program(folder)
  const temporary = scratch(folder, 'tmp')
  await run('mkfifo', [join(folder, 'fifo')])
  symlinkSync('itself', join(folder, 'itself'))
  mkdirSync(join(folder, 'directory'))
  for (const path of ['fifo', 'itself', 'directory', 'none'].map((name) => join(folder, name)).concat('/dev/zero')) {
    const ran = await runProgram(main, ['check', '--format', 'json', path], { temporary })
    t.equal(ran.code, 3, path)
    t.match(ran.stderr, /FILE_UNREADABLE/)
    t.ok(ran.milliseconds < 20_000)
  }
})
