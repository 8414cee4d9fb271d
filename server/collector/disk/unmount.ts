import { readFile } from 'node:fs/promises'
import { runProcess } from '../tools/spawn.ts'
import type { Toolbox } from '../tools/toolbox.ts'

/** Takes away mounts that a daemon left behind when it was killed. */
export async function unmount(tools: Toolbox, paths: readonly string[]): Promise<void> {
  const mounted = await readFile('/proc/self/mounts', 'utf8').catch(() => '')
  const left = paths.filter((path) => mounted.includes(` ${path} `))
  if (left.length === 0) return
  const fusermount = await tools.find('fusermount3')
  for (const path of left) {
    const command = [fusermount, '-u', '-z', path]
    await runProcess({ command, identity: tools.identity }, 5, 4096, AbortSignal.timeout(5000)).catch(() => undefined)
  }
}
