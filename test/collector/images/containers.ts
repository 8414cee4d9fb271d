import { run } from './run.ts'

/** Containers that qemu-img writes, by name: its format and options. */
export const containers = {
  raw: ['raw'],
  qcow2: ['qcow2'],
  'vhd-fixed': ['vpc', 'subformat=fixed,force_size=on'],
  'vhd-dynamic': ['vpc', 'subformat=dynamic,force_size=on'],
  qcow1: ['qcow'],
  vmdk: ['vmdk'],
  vhdx: ['vhdx'],
  vdi: ['vdi'],
} as const satisfies Record<string, readonly [format: string, options?: string]>

/** The name of a container that qemu-img writes. */
export type ContainerName = keyof typeof containers

/** Writes what a raw image holds into a container of another format. */
export async function convert(raw: string, to: string, container: ContainerName): Promise<void> {
  const [format, options] = containers[container]
  const given = options === undefined ? [] : ['-o', options]
  await run('qemu-img', ['convert', '-f', 'raw', '-O', format, ...given, raw, to])
}
