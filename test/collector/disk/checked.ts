import { type ImageOptions, type OpenImage, openImage } from '../../../server/collector/image.ts'
import { checksOf } from '../../../server/collector/volumes/open-volumes.ts'

/** Opens an image and waits for the checks of its volumes, which stand in their facts then. */
export async function openChecked(path: string, options: ImageOptions = {}): Promise<OpenImage> {
  const image = await openImage(path, options)
  const { facts, missing } = await checksOf(image.volumes)
  const volumes = image.volumes.map((volume, index) => ({ ...volume, facts: { ...volume.facts, ...facts[index] } }))
  return { ...image, volumes, missing: [...image.missing, ...missing] }
}
