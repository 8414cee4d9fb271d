/** What ntfsls -l -F tells of one name. */
export interface NtfsEntry {
  readonly name: string
  readonly kind: 'file' | 'directory'
  /** Unit: bytes. */
  readonly sizeBytes: number
}

/** Reads what ntfsls prints, one name a line. */
export function parseNtfsList(text: string): NtfsEntry[] {
  const entries: NtfsEntry[] = []
  for (const line of text.split('\n')) {
    const [, size, shown] = /^ *(\d+) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d \d{4} (.+)$/.exec(line) ?? []
    if (size === undefined || shown === undefined || shown === './' || shown === '../') continue
    const kind = shown.endsWith('/') ? 'directory' : 'file'
    entries.push({ name: shown.replace(/\/$/, ''), kind, sizeBytes: Number(size) })
  }
  return entries
}

/**
 * Whether a file has the read-only attribute, from what ntfsinfo -v prints: that of $STANDARD_INFORMATION, since the copy
 * that stands with the name may be stale.
 */
export function parseReadOnly(text: string): boolean | undefined {
  const start = text.indexOf('Dumping attribute $STANDARD_INFORMATION')
  const end = text.indexOf('Dumping attribute', start + 1)
  if (start < 0) return undefined
  const [, bits] = /^\tFile attributes:.*\(0x([0-9a-f]+)\)$/m.exec(text.slice(start, end < 0 ? undefined : end)) ?? []
  return bits === undefined ? undefined : (Number.parseInt(bits, 16) & 1) !== 0
}
