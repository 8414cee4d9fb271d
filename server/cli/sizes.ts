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
