import { join } from 'node:path'
import type { Test } from 'tap'
import { debianPrograms } from '../images/debian.ts'
import { craftedImages, goodImage, linuxPrograms, type TestImage } from '../images/linux-images.ts'
import { needs } from '../images/run.ts'
import { workFolder } from './check.ts'

/** Programs without which the collector cannot read any disk in full. */
export const collectorPrograms = [
  ...['sfdisk', 'blkid', 'prlimit', 'setpriv', 'nsenter', 'bwrap', 'qemu-storage-daemon', 'qemu-img'],
  ...['tune2fs', 'debugfs', 'e2fsck', 'xfs_db', 'xfs_repair', 'grub-fstest', 'btrfs', 'fsck.fat'],
  ...['ntfsinfo', 'ntfsls', 'ntfscat', 'hivexsh'],
]

/** Why images of Debian cannot be built and read here; false when they can. */
export const noDebian = needs([...collectorPrograms, ...linuxPrograms, ...debianPrograms], true)

/** Why small crafted images cannot be built and read here. */
export const noCrafted = needs([...collectorPrograms, ...linuxPrograms])

/** The good Debian image in a folder of its own. */
export async function goodDebian(t: Test): Promise<{ readonly folder: string; readonly good: string }> {
  const folder = await workFolder(t)
  const good = join(folder, 'good.raw')
  await goodImage(good)
  return { folder, good }
}

/** A crafted image by its name. */
export function crafted(name: string): TestImage {
  const found = craftedImages.find((image) => image.name === name)
  if (found === undefined) throw new Error(`There is no image ${name}.`)
  return found
}
