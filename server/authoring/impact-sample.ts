import { createHash } from 'node:crypto'

/** How many records are replayed: a number of them, or a share between 0 and 1. */
export type Sample = { readonly count: number } | { readonly share: number }

/** A record's place between 0 and 1, alike in every run with the same seed and spread evenly over all records. */
function placeOf(key: string, seed: number): number {
  return createHash('sha256').update(`${seed} ${key}`).digest().readUIntBE(0, 6) / 2 ** 48
}

/** The place below which exactly so many records lie; read once through their names, of which few are held at a time. */
async function boundFor(count: number, seed: number, keys: AsyncIterable<string>): Promise<number> {
  const wanted = count + 1
  let places: number[] = []
  const cut = () => {
    places = places.sort((left, right) => left - right).slice(0, wanted)
  }
  for await (const key of keys) if (places.push(placeOf(key, seed)) >= 2 * wanted) cut()
  cut()
  return places[count] ?? 1
}

/** The bound of a sample; 1 for every record. */
export async function sampleBound(sample: Sample | undefined, seed: number, keys: () => AsyncIterable<string>) {
  if (sample === undefined) return 1
  return 'share' in sample ? sample.share : boundFor(sample.count, seed, keys())
}

/** Whether a record belongs to the sample with this bound. */
export function keeper(bound: number, seed: number): (key: string) => boolean {
  return bound >= 1 ? () => true : (key) => placeOf(key, seed) < bound
}
