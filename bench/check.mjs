// `imagegate check` on a Debian image of 10 GiB, as RAW and as QCOW2: wall time with the image's pages dropped from memory and
// with them there, beside the programs that it calls run by themselves one after the other (the floor), and beside
// virt-inspector on the same file. The memory is that of all processes at once, sampled.
// virt-inspector runs under emulation (force_tcg), because KVM is not usable on every machine; with KVM it would be faster.
// Its system is made of the kernel in the Debian tree; supermin wants a folder /lib/modules to exist besides.
//
//   npm run build && node bench/check.mjs [folder that keeps the images] [rounds]      as root

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { memoryOf } from './memory.mjs'

const top = fileURLToPath(new URL('..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'imagegate-bench-'))
const folder = process.argv[2] ?? scratch
const rounds = Number(process.argv[3] ?? 5)
const gibibyte = 1024
const offset = 1_048_576
const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', TMPDIR: tmpdir(), HOME: scratch }

/** The builder of the tests, compiled, because Node 20 runs no TypeScript. */
async function builder() {
  const out = join(scratch, 'builder')
  const options = ['--ignoreConfig', '--noCheck', '--target', 'es2023', '--module', 'nodenext', '--types', 'node']
  const source = join(top, 'test', 'collector', 'images', 'linux-disks.ts')
  const tsc = join(top, 'node_modules', 'typescript', 'bin', 'tsc')
  writeFileSync(join(scratch, 'package.json'), '{"type":"module"}')
  execFileSync(process.execPath, [tsc, ...options, '--rewriteRelativeImportExtensions', '--outDir', out, source])
  const load = (name) => import(pathToFileURL(join(out, name)).href)
  return { ...(await load('linux-disks.js')), ...(await load('debian.js')) }
}

async function images({ debianDisk }) {
  mkdirSync(folder, { recursive: true })
  const raw = join(folder, 'debian-10GiB.raw')
  const qcow2 = join(folder, 'debian-10GiB.qcow2')
  if (!existsSync(raw)) {
    await debianDisk(`${raw}.part`, { whole: true, diskSize: 10 * gibibyte, ext: { size: 10 * gibibyte - 2 } })
    renameSync(`${raw}.part`, raw)
  }
  if (!existsSync(qcow2)) {
    execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, `${qcow2}.part`])
    renameSync(`${qcow2}.part`, qcow2)
  }
  return { raw, qcow2 }
}

/** Drops the pages of a file that are not needed from memory. */
const cool = (path) => execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none'])

function timed(work) {
  const start = process.hrtime.bigint()
  work()
  return Number(process.hrtime.bigint() - start) / 1e9
}

const said = (program, args, options = {}) => {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    env: environment,
    maxBuffer: 2 ** 28,
    ...options,
  })
  if (error) throw error
  if (![0, ...(options.codes ?? [])].includes(status)) throw new Error(`${program} ended with ${status}: ${stderr}`)
  return stdout
}

const check = (path) => [join(top, 'dist', 'main.js'), 'check', '--format', 'json', path]

/** What debugfs is asked for by hand: the files that decide most rules, attributes and directories. */
function questions(kernel, out) {
  const dumps = [
    ...[
      '/usr/lib/os-release',
      '/etc/debian_version',
      '/etc/issue',
      '/etc/fstab',
      '/etc/network/interfaces',
      '/etc/passwd',
    ],
    ...['/etc/shadow', '/etc/ssh/sshd_config', '/boot/grub/grub.cfg', '/var/lib/dpkg/status', '/etc/cloud/cloud.cfg'],
    ...[`/boot/initrd.img-${kernel}`, `/boot/config-${kernel}`, `/usr/lib/modules/${kernel}/modules.builtin`],
    ...['/usr/lib/systemd/system/ssh.service', '/usr/lib/systemd/system/networking.service', '/etc/machine-id'],
  ]
  const stats = [
    '/etc/shadow',
    '/etc/issue',
    '/sbin',
    '/bin',
    '/lib',
    '/usr/sbin/sshd',
    '/usr/bin/cloud-init',
    '/usr/sbin/qemu-ga',
  ]
  const lists = [
    '/',
    '/boot',
    '/etc',
    '/etc/systemd/system',
    '/usr/lib/systemd/system',
    '/etc/network',
    '/etc/cloud/cloud.cfg.d',
  ]
  return [
    ...dumps.map((path, index) => `dump ${path} ${join(out, String(index))}`),
    ...stats.map((path) => `stat ${path}`),
    ...lists.map((path) => `ls -p ${path}`),
  ].join('\n')
}

/** The programs by themselves, one after the other, without a sandbox, on a disk that needs no container. */
function ofDisk(disk, script) {
  said('sfdisk', ['--json', disk])
  said('blkid', ['-p', '-O', String(offset), '-o', 'export', disk])
  const file = `${disk}?offset=${offset}`
  said('tune2fs', ['-l', file])
  said('debugfs', ['-f', script, file])
  said('e2fsck', ['-f', '-n', '-E', 'readahead_kb=32', file])
}

/** What check does besides and debugfs does not: the initramfs, as debugfs dumped it, is unpacked for its list of drivers. */
function unpacking(kernel, out) {
  const [, packed = ''] = new RegExp(`^dump /boot/initrd.img-${kernel} (.*)$`, 'm').exec(questions(kernel, out)) ?? []
  return timed(() => said('gzip', ['-dc', packed], { stdio: ['ignore', 'ignore', 'pipe'] }))
}

/** The same for a QCOW2: its own check, and the daemon that shows the disk. */
async function floor(path, script) {
  if (path.endsWith('.raw')) return timed(() => ofDisk(path, script))
  const start = process.hrtime.bigint()
  said('qemu-img', ['check', '-q', '-f', 'qcow2', path])
  const shown = join(scratch, 'shown')
  writeFileSync(shown, '')
  const daemon = spawn('qemu-storage-daemon', [
    ...['--blockdev', `driver=file,node-name=f,filename=${path},read-only=on`],
    ...['--blockdev', 'driver=qcow2,node-name=d,file=f,read-only=on'],
    ...['--export', `type=fuse,id=e,node-name=d,mountpoint=${shown},writable=off`],
  ])
  while (!readFileSync('/proc/mounts', 'utf8').includes(shown)) await new Promise((resolve) => setTimeout(resolve, 2))
  ofDisk(shown, script)
  const ended = new Promise((resolve) => daemon.once('close', resolve))
  daemon.kill('SIGTERM')
  await ended
  return Number(process.hrtime.bigint() - start) / 1e9
}

async function peakMemory(path) {
  const child = spawn(process.execPath, check(path), { env: environment, stdio: 'ignore' })
  let running = true
  const ended = new Promise((resolve) => child.once('close', resolve)).then(() => {
    running = false
  })
  let peak = 0
  while (running) {
    peak = Math.max(peak, memoryOf(child.pid))
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5))])
  }
  return peak / 1024
}

/** virt-inspector's own system, made once before the clock starts, from the kernel of the Debian tree. */
function appliance(tree, kernel) {
  const path = join(scratch, 'appliance')
  const [vmlinuz, modules] = [join(tree, 'boot', `vmlinuz-${kernel}`), join(tree, 'usr/lib/modules', kernel)]
  const env = { ...environment, ...emulated, SUPERMIN_KERNEL: vmlinuz, SUPERMIN_MODULES: modules }
  said('libguestfs-make-fixed-appliance', [path], { env })
  return path
}

const emulated = { LIBGUESTFS_BACKEND: 'direct', LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg' }

/** True, or why virt-inspector gave nothing. */
function inspect(path, format, system) {
  const { status, signal } = spawnSync('virt-inspector', [`--format=${format}`, '-a', path], {
    env: { ...environment, ...emulated, LIBGUESTFS_PATH: system },
    timeout: 180_000,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return status === 0 ? true : (signal ?? `exit ${status}`)
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const seconds = (value) => `${value.toFixed(2)} s`

try {
  const build = await builder()
  const all = await images(build)
  const tree = await build.debianTree()
  const kernel = await build.kernelOf(tree)
  const out = join(scratch, 'dumps')
  mkdirSync(out)
  const script = join(scratch, 'questions')
  writeFileSync(script, questions(kernel, out))

  const none = () => ({ cold: [], warm: [], floor: [], unpacked: [] })
  const times = { raw: none(), qcow2: none() }
  for (let round = 0; round < rounds; round++) {
    for (const [name, path] of Object.entries(all)) {
      cool(path)
      times[name].cold.push(timed(() => said(process.execPath, check(path), { codes: [1, 2] })))
      times[name].warm.push(timed(() => said(process.execPath, check(path), { codes: [1, 2] })))
      const programs = await floor(path, script)
      times[name].floor.push(programs)
      times[name].unpacked.push(programs + unpacking(kernel, out))
    }
  }
  console.log(`Node ${process.version}, ${availableParallelism()} processors, ${rounds} rounds, medians`)
  const system = appliance(tree, kernel)
  for (const [name, path] of Object.entries(all)) {
    const { cold, warm, floor: alone, unpacked } = times[name]
    const memory = Math.max(await peakMemory(path), await peakMemory(path))
    const own = median(warm)
    console.log(
      `${name}: check ${seconds(own)} warm, ${seconds(median(cold))} cold; the programs alone ${seconds(median(alone))}, ` +
        `so ${(own / median(alone)).toFixed(2)} times the floor; with gzip -dc of the initramfs ${seconds(median(unpacked))}, ` +
        `so ${(own / median(unpacked)).toFixed(2)} times; ${memory.toFixed(0)} MiB of all processes at most`,
    )
    let answer
    const inspector = timed(() => {
      answer = inspect(path, name, system)
    })
    console.log(
      answer === true
        ? `${name}: virt-inspector ${seconds(inspector)} under emulation (force_tcg), ${(inspector / own).toFixed(0)} times check`
        : `${name}: virt-inspector gave nothing: ${answer}`,
    )
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
