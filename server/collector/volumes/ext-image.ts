import type { Place } from '../tools/place.ts'

/** How the programs of e2fsprogs are told that a file system begins within a file. */
export function extImage(image: string, place: Place): string {
  return place.offset === undefined || place.offset === 0 ? image : `${image}?offset=${place.offset}`
}
