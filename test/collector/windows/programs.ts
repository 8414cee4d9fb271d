import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GuestError } from '../../../server/collector/guest.ts'
import { headOf } from '../../../server/collector/windows/hive-tool.ts'
import type { HiveSource, WithHive } from '../../../server/collector/windows/hivexsh.ts'

/** False when all programs are there, else what to say of a test that is skipped. */
export function lacking(...programs: readonly string[]): string | false {
  const missing = programs.filter((program) => {
    try {
      execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], {
        env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
      })
      return false
    } catch {
      return true
    }
  })
  return missing.length === 0 ? false : `needs ${missing.join(', ')}`
}

/** A hive from its bytes. */
export const hiveOf =
  (bytes: Buffer): HiveSource =>
  (path) =>
    writeFile(path, bytes, { flag: 'wx', mode: 0o600 })

/** hivexsh on a file of its own, as the collector's runner gives it, without the sandbox. */
export const withHive: WithHive = async (hive, use) => {
  const directory = await mkdtemp(join(tmpdir(), 'imagegate-hive-'))
  const path = join(directory, 'hive')
  try {
    await hive(path)
    const head = await headOf(path)
    return await use(async (script) => {
      await writeFile(join(directory, 'script'), script)
      return new Promise((resolve, reject) => {
        const options = { encoding: 'buffer', env: {}, maxBuffer: 16_777_216 } as const
        execFile('/usr/bin/hivexsh', ['-f', join(directory, 'script'), path], options, (error, stdout, stderr) => {
          const code = error === null ? 0 : error.code
          if (typeof code !== 'number') return reject(new GuestError('tool-failed', 'hivexsh failed.'))
          resolve({ exitCode: code, stdout, stderr: stderr.toString() })
        })
      })
    }, head)
  } finally {
    await rm(directory, { recursive: true })
  }
}
