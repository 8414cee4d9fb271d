import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { GuestError } from '../guest.ts'
import type { Layout } from '../sniff/result.ts'
import { limitArguments } from '../tools/limits.ts'
import type { Place } from '../tools/place.ts'
import { sandboxArguments } from '../tools/sandbox.ts'
import { killGroup, startProcess } from '../tools/spawn.ts'
import type { Toolbox } from '../tools/toolbox.ts'
import { type Qmp, qmpOver } from './qmp.ts'
import { unmount } from './unmount.ts'
import type { VirtualDisk } from './virtual-disk.ts'

const limits = limitArguments({ seconds: 600, stdoutBytes: 0, fileBytes: 1_048_576, memoryBytes: 268_435_456 })
const monitor = ['--chardev', 'stdio,id=monitor', '--monitor', 'monitor']

/** The image with its driver named at every layer, so that nothing is probed and nothing else is opened. */
function blockDevice(layout: Layout, filename: string, device: boolean) {
  const file = {
    driver: device ? 'host_device' : 'file',
    filename,
    'read-only': true,
    'auto-read-only': false,
    locking: 'off',
  }
  const common = { 'node-name': 'disk', 'read-only': true, 'auto-read-only': false, file }
  if (layout.driver === 'qcow2') return { driver: 'qcow2', backing: null, ...common }
  if (layout.driver === 'vpc') return { driver: 'vpc', ...common }
  return { driver: 'raw', offset: 0, size: layout.sizeBytes, ...common }
}

/** The number of the sandbox's first process, which bwrap tells on descriptor 3. */
function firstProcess(info: Readable): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = ''
    // The pipe is read to its end: bwrap would die of a closed one.
    info.on('data', (piece: Buffer) => {
      text += piece.toString()
      const [, pid] = /"child-pid": *(\d+)/.exec(text) ?? []
      if (pid) resolve(Number(pid))
    })
    info.once('close', () => reject(new GuestError('tool-failed', 'The sandbox for the disk could not be started.')))
  })
}

async function commandOf(tools: Toolbox, image: string): Promise<{ command: string[]; filename: string }> {
  const daemon = await tools.find('qemu-storage-daemon')
  const limited = [await tools.find('prlimit'), ...limits]
  if (!tools.sandboxed) {
    // A signal that it can catch, so that it takes its mounts away when we are killed.
    if (tools.identity || process.getuid?.() !== 0) await tools.find('fusermount3')
    const plain = [await tools.find('setpriv'), '--pdeathsig', 'TERM', '--']
    return { command: [...limited, ...plain, daemon, ...monitor], filename: image }
  }
  const sandbox = await sandboxArguments({
    fuse: true,
    infoDescriptor: 3,
    readOnly: { '/image': image },
    writable: { '/parts': join(tools.folder, 'parts'), '/calls': join(tools.folder, 'calls') },
  })
  await tools.find('nsenter')
  return { command: [...limited, await tools.find('bwrap'), ...sandbox, daemon, ...monitor], filename: '/image' }
}

/**
 * Shows the disk by FUSE exports of one qemu-storage-daemon. In a sandbox the mounts stand in its own name space, so they
 * end with it however we end. Throws a GuestError where that does not work.
 */
export async function daemonDisk(tools: Toolbox, image: string, layout: Layout, device: boolean): Promise<VirtualDisk> {
  const { command, filename } = await commandOf(tools, image)
  const child = startProcess({ command, identity: tools.identity, input: 'open with info' })
  const qmp: Qmp = qmpOver(child)
  const abort = () => killGroup(child)
  tools.signal.addEventListener('abort', abort, { once: true })
  const parts = join(tools.folder, 'parts')
  const shown: string[] = []
  const close = async () => {
    tools.signal.removeEventListener('abort', abort)
    const ended = new Promise<void>((done) => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) done()
      else child.once('exit', () => done())
    })
    const late = setTimeout(abort, 2000)
    // A daemon that ends by itself takes its mounts away and leaves nobody behind to be reaped.
    await qmp({ execute: 'quit' }).catch(() => killGroup(child))
    await ended
    clearTimeout(late)
    if (!tools.sandboxed) await unmount(tools, shown)
    killGroup(child)
  }
  try {
    const info = child.stdio[3]
    const inside = tools.sandboxed && info instanceof Readable ? { inside: await firstProcess(info) } : {}
    const show = async (name: string, node: string): Promise<Place> => {
      const outside = join(parts, name)
      await writeFile(outside, '', { flag: 'wx' })
      // fusermount3 lets an ordinary user mount over his own files alone.
      if (tools.identity) await chown(outside, tools.identity.uid, tools.identity.gid)
      const path = tools.sandboxed ? `/parts/${name}` : outside
      const fuse = { type: 'fuse', id: `export-${name}`, 'node-name': node, mountpoint: path, writable: false }
      await qmp({
        execute: 'block-export-add',
        arguments: { ...fuse, ...(tools.sandboxed ? { 'allow-other': 'off' } : {}) },
      })
      shown.push(outside)
      return { path, ...inside }
    }
    // They are answered in their order, so none waits here for the answer to the one before.
    const [whole] = await Promise.all([
      show('disk', 'disk'),
      qmp({ execute: 'qmp_capabilities' }),
      qmp({ execute: 'blockdev-add', arguments: blockDevice(layout, filename, device) }),
    ])
    const known = new Map<string, Promise<Place>>()
    const make = async (start: number, length: number) => {
      if (start < 0 || length <= 0 || start + length > layout.sizeBytes)
        throw new GuestError('damaged', 'A range lies behind the end of the disk.')
      const node = `part-${start}-${length}`
      const range = { driver: 'raw', 'node-name': node, 'read-only': true, offset: start, size: length, file: 'disk' }
      await qmp({ execute: 'blockdev-add', arguments: range })
      return show(node, node)
    }
    const range = (start: number, length: number) => {
      const key = `${start}-${length}`
      const place = known.get(key) ?? make(start, length)
      known.set(key, place)
      return place
    }
    const part = async (start: number, length: number, offsets?: 'offsets') => {
      // An export more takes longer than most programs do that can be told where the range begins.
      const told =
        offsets !== undefined && !whole.path.includes('?') && start >= 0 && start + length <= layout.sizeBytes
      return told ? { ...whole, offset: start } : range(start, length)
    }
    const method = 'qemu-storage-daemon, a read-only FUSE export'
    return { method, sizeBytes: layout.sizeBytes, whole: async () => whole, part, close }
  } catch (error) {
    await close()
    throw error
  }
}
