import { GuestError } from '../guest.ts'
import type { Part } from '../part.ts'
import type { WindowsFiles } from './files.ts'
import { known } from './known.ts'
import type { Registry } from './registry.ts'
import { serviceNames } from './services.ts'
import { Topic } from './topic.ts'
import { displayNames } from './uninstall.ts'

const programs = ['/Program Files/Qemu-ga/qemu-ga.exe', '/Program Files (x86)/Qemu-ga/qemu-ga.exe']

interface Agent {
  readonly installed: boolean
  readonly name?: string
}

const isAgent = (name: string): boolean => /^qemu[ _-]?(ga$|ga |guest agent)/i.test(name)

async function agentOf({ system, software }: Registry, files: WindowsFiles): Promise<Agent> {
  const found = await Promise.all(programs.map((path) => files.find(path)))
  const program = found.find((path) => path !== undefined)
  try {
    const name = [...serviceNames(system).values()].find(isAgent) ?? displayNames(software).find(isAgent)
    if (name !== undefined) return { installed: true, name: name.slice(0, 128).toWellFormed() }
  } catch (error) {
    if (program === undefined || !(error instanceof GuestError)) throw error
  }
  return program === undefined ? { installed: false } : { installed: true, name: program }
}

/** Whether the QEMU guest agent is installed: a service or an installed program of one of its names, or its file. */
export async function agentPart(registry: Registry, files: WindowsFiles): Promise<Part> {
  const topic = new Topic()
  const qemuGuestAgent = await topic.fetch('/agents/qemuGuestAgent', () => agentOf(registry, files))
  return topic.part(
    'services in registry hive SYSTEM, Uninstall in SOFTWARE, and Program Files',
    known({ agents: known({ qemuGuestAgent }) }),
  )
}
