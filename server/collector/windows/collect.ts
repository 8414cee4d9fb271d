import type { Disk } from '../../documents/facts.ts'
import type { Part } from '../part.ts'
import { accountsPart } from './accounts.ts'
import { agentPart } from './agent.ts'
import { bootPart } from './boot.ts'
import type { WindowsFiles } from './files.ts'
import { firewallPart } from './firewall.ts'
import { dirtyReason } from './hive.ts'
import type { WithHive } from './hivexsh.ts'
import { productPart } from './product.ts'
import { rdpPart } from './rdp.ts'
import { type Registry, readRegistry } from './registry.ts'
import { type SurveyedVolume, surveyVolumes, type WindowsVolume } from './survey.ts'
import { missingBecause, Topic } from './topic.ts'
import { virtioPart } from './virtio.ts'
import { volumesPart } from './volumes.ts'

const guestSections = [
  '/os/windows',
  '/drivers',
  '/firewall',
  '/remoteAccess/rdp',
  '/agents/qemuGuestAgent',
  '/accounts',
]

/** Signs of Windows where its directory cannot be read. */
function showsWindows(volumes: readonly SurveyedVolume[]): boolean {
  const hidden = volumes.some((volume) => volume.files === undefined && volume.facts.fileSystem === 'ntfs')
  const locked = volumes.some((volume) => volume.facts.encryption === 'bitlocker')
  return volumes.some((volume) => volume.loader !== undefined || (volume.efiLoader && (hidden || locked)))
}

/** Facts that no reading of an image gives, and warnings about the hives. */
function limitsPart(registry: Registry): Part {
  const topic = new Topic()
  topic.note(
    '/files/systemFiles/verification',
    'unverifiable',
    'The image holds no baseline of its system files that can be checked offline; run sfc.exe /verifyonly in the guest and attest it.',
  )
  for (const [name, pointer] of [['system', '/firewall'] as const, ['software', '/os/windows'] as const]) {
    if (!registry[name].dirty) continue
    topic.note(pointer, 'hive-dirty', dirtyReason(name.toUpperCase()))
  }
  return topic.part('registry hives', undefined)
}

async function isolated(pointer: string, method: string, collect: () => Part | Promise<Part>): Promise<Part> {
  try {
    return await collect()
  } catch (error) {
    return { facts: {}, method, missing: [missingBecause(pointer, error)] }
  }
}

function driveLetterOf({ software }: Registry): string | undefined {
  try {
    const root = software.text('Microsoft\\Windows NT\\CurrentVersion', 'SystemRoot') ?? ''
    return /^([A-Za-z]:)\\/.exec(root)?.[1]?.toUpperCase()
  } catch {
    return undefined
  }
}

async function guestParts(
  files: WindowsFiles,
  windows: string,
  registry: Registry,
  withHive: WithHive,
): Promise<Part[]> {
  return Promise.all([
    isolated('/os', 'registry', () => productPart(registry)),
    isolated('/firewall', 'registry', () => firewallPart(registry)),
    isolated('/remoteAccess/rdp', 'registry', () => rdpPart(registry)),
    isolated('/drivers/virtioWindows', 'System32\\drivers', () => virtioPart(registry, files, windows)),
    isolated('/agents/qemuGuestAgent', 'registry', () => agentPart(registry, files)),
    isolated('/accounts/administrator', 'registry', () => accountsPart(registry, files, windows, withHive)),
    limitsPart(registry),
  ])
}

/**
 * Facts of a Windows guest: all volumes and partitions with their roles, and what registry and files tell. Empty when nothing shows that
 * the image holds Windows. Two Windows directories, or one that cannot be read, leave the guest's facts missing.
 */
export async function collectWindows(
  volumes: readonly WindowsVolume[],
  disk: Disk | undefined,
  withHive: WithHive,
): Promise<Part[]> {
  const surveyed = await surveyVolumes(volumes)
  const holders = surveyed.filter((volume) => volume.windows !== undefined)
  if (holders.length === 0 && !showsWindows(surveyed)) return []
  const [holder] = holders
  if (holder?.windows === undefined || holder.files === undefined || holders.length > 1) {
    const topic = new Topic()
    const code =
      holders.length > 1 ? 'ambiguous' : (surveyed.find((volume) => volume.problem)?.problem?.code ?? 'absent')
    const reason =
      holders.length > 1
        ? 'Several volumes hold a Windows directory.'
        : 'No readable volume holds the Windows directory.'
    for (const pointer of guestSections) topic.note(pointer, code, reason)
    const system = topic.part('boot files of Windows', { os: { type: 'windows' } })
    return [volumesPart(surveyed, disk, undefined), bootPart(surveyed, disk), system]
  }
  const registry = await readRegistry(holder.files, holder.windows, withHive)
  return [
    volumesPart(surveyed, disk, driveLetterOf(registry)),
    bootPart(surveyed, disk),
    ...(await guestParts(holder.files, holder.windows, registry, withHive)),
  ]
}
