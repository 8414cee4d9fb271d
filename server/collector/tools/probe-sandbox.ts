import { realpath } from 'node:fs/promises'
import { findTool } from './find.ts'
import { identityFor } from './identity.ts'
import { sandboxArguments } from './sandbox.ts'
import { type Identity, runProcess } from './spawn.ts'

const probes = new Map<string, Promise<boolean>>()

/** Whether bwrap works here, asked once per path and user. */
export function sandboxWorks(bwrap: string, identity: Identity | undefined): Promise<boolean> {
  const key = `${bwrap} ${identity?.uid}`
  const probe = async () => {
    const command = [bwrap, ...(await sandboxArguments({})), '/usr/bin/true']
    // Not with the signal of one image: the answer is for all.
    const ended = await runProcess({ command, identity }, 10, 4096, AbortSignal.timeout(10_000)).catch(() => undefined)
    return ended?.code === 0
  }
  const known = probes.get(key) ?? probe()
  probes.set(key, known)
  return known
}

/** Asks for one image before the modules are loaded that open it; its answer is known then, or soon. Rejects never. */
export async function probeEarly(image: string): Promise<void> {
  try {
    const [path, bwrap] = await Promise.all([realpath(image), findTool('bwrap')])
    if (bwrap !== undefined) await sandboxWorks(bwrap, await identityFor(path))
  } catch {
    // Whoever opens the image finds the same, and tells it.
  }
}
