import { execFile } from 'node:child_process'
import type { GuestEntry, GuestFiles } from '../../../server/collector/guest.ts'

const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' }

/** Standard output of a program; undefined when it fails. */
function outputOf(program: string, args: readonly string[]): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, { encoding: 'buffer', env, maxBuffer: 134_217_728 }, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    )
  })
}

/** Files of an NTFS volume in a file, each question one run of a program of ntfs-3g. */
export function ntfsToolFiles(volume: string): GuestFiles {
  const list = async (path: string): Promise<readonly GuestEntry[] | undefined> => {
    const output = await outputOf('ntfsls', ['-F', '-p', path, volume])
    return output
      ?.toString()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('./') && !line.startsWith('../'))
      .map((line) => ({ name: line.replace(/\/$/, ''), kind: line.endsWith('/') ? 'directory' : 'file' }))
  }
  return {
    list,
    read: (path) => outputOf('ntfscat', [volume, path]),
    stat: async (path) => {
      const said = (await outputOf('ntfsinfo', ['-F', path, volume]))?.toString()
      if (said === undefined) return undefined
      const [, standard = ''] =
        /Dumping attribute \$STANDARD_INFORMATION[\s\S]*?File attributes:\s*(.*)\n/.exec(said) ?? []
      const size = /Dumping attribute \$DATA[\s\S]*?Data size:\s*(\d+)/i.exec(said)?.[1]
      return { kind: 'file', sizeBytes: Number(size ?? 0), readOnly: standard.includes('READONLY') }
    },
  }
}
