import { Undecidable } from './limits.ts'

/** Every choice of one index below each size, in order. Throws Undecidable when there are more than `most`. */
export function* combinations(sizes: readonly number[], most: number): Generator<readonly number[], void, void> {
  const total = sizes.reduce((product, size) => product * size, 1)
  if (total > most) throw new Undecidable(`${total} combinations of values, of which at most ${most} are tried`)
  const indices = sizes.map(() => 0)
  for (let count = 0; count < total; count += 1) {
    yield indices
    for (let place = indices.length - 1; place >= 0; place -= 1) {
      const next = (indices[place] ?? 0) + 1
      indices[place] = next < (sizes[place] ?? 0) ? next : 0
      if (next < (sizes[place] ?? 0)) break
    }
  }
}
