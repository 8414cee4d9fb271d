/** True when the seeded tests run at the full counts that the issues name. */
export const long = process.env['IMAGEGATE_LONG'] === '1'

/** A count: full with IMAGEGATE_LONG=1, else a hundredth, or what is given. */
export function count(full: number, short = Math.ceil(full / 100)): number {
  return long ? full : short
}

/** The seed of this run: IMAGEGATE_SEED repeats a run, otherwise it is fresh. Every seeded test prints it. */
export const seed = Number(process.env['IMAGEGATE_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Deterministic random numbers in [0, 1) (mulberry32). */
export function random(from: number): () => number {
  let state = from >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
