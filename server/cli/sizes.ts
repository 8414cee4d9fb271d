const powers: Readonly<Record<string, bigint>> = { K: 1n, M: 2n, G: 3n, T: 4n, P: 5n }
const size = /^(\d{1,16})(?:([KMGTP])(?:iB)?)?$/

/**
 * A size such as 42949672960, 40G or 40GiB as its number of bytes, exactly; suffixes are powers of 1024.
 * Undefined for anything else: 40GB may mean two sizes, and fractions are not taken.
 */
export function bytesOf(text: string): string | undefined {
  const [, digits, suffix] = size.exec(text) ?? []
  if (digits === undefined) return undefined
  return `${BigInt(digits) * 1024n ** (powers[suffix ?? ''] ?? 0n)}`
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** A number of bytes for people, in powers of 1024. */
export function byteText(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1)
  const scaled = bytes / 1024 ** power
  return `${power === 0 ? scaled : scaled.toFixed(1)} ${units[power]}`
}
