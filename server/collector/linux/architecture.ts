import type { Os } from '../../documents/facts.ts'
import type { GuestFiles } from '../guest.ts'

/** Small programs that every installation has; a link among them is followed by the driver. */
const programs = ['/bin/true', '/usr/bin/true', '/bin/cat', '/bin/sh', '/sbin/init']
const maxProgramBytes = 4 * 1_048_576

/** The architecture that an ELF header tells; undefined for another file. */
export function elfArchitecture(bytes: Buffer): Os['architecture'] {
  if (bytes.length < 20 || bytes.readUInt32BE(0) !== 0x7f454c46) return undefined
  const machine = bytes[5] === 2 ? bytes.readUInt16BE(18) : bytes.readUInt16LE(18)
  return machine === 0x3e ? 'x86_64' : machine === 0x03 ? 'i386' : machine === 0xb7 ? 'arm64' : 'other'
}

/** The architecture of the installed system's own programs. */
export async function architectureOf(files: GuestFiles): Promise<Os['architecture']> {
  for (const program of programs) {
    const bytes = await files.read(program, maxProgramBytes).catch(() => undefined)
    const architecture = bytes && elfArchitecture(bytes)
    if (architecture !== undefined) return architecture
  }
  return undefined
}
