import { constants } from 'node:fs'
import { access, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { GuestError } from '../guest.ts'
import { type ToolName, tools } from './table.ts'

/** Where programs are looked for; the caller's PATH is not asked. */
export const toolFolders: readonly string[] = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** The absolute path of a program; undefined when it is not installed. */
export async function findTool(name: ToolName, folders: readonly string[] = toolFolders): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name)
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    // A sandbox shows the system's own folders alone, so a link from elsewhere is followed here.
    if (found) return toolFolders.includes(folder) ? path : realpath(path)
  }
  return undefined
}

/** The error for a program that is not installed: it names the Debian package that brings it. */
export function toolMissing(name: ToolName): GuestError {
  return new GuestError('tool-missing', `${name} is not installed: install the Debian package ${tools[name].package}.`)
}
