import { canonicalize } from '../digest.ts'
import { strictAjv } from '../validators.ts'
import type { ChainEntry } from './chain.ts'
import type { ExportRecord } from './export-source.ts'

/** A line of an export, parsed. */
export interface ExportLine {
  readonly entry?: ChainEntry
  readonly verdict: Readonly<Record<string, unknown>>
  readonly facts?: Readonly<Record<string, unknown>>
}

const digest = { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' }
const text = { type: 'string', minLength: 1, maxLength: 64 }

const check = strictAjv(false).compile<ExportLine>({
  type: 'object',
  additionalProperties: false,
  required: ['verdict'],
  properties: {
    entry: {
      type: 'object',
      additionalProperties: false,
      required: ['tenant', 'sequence', 'verdictId', 'recordDigest', 'previousLink', 'link'],
      properties: {
        tenant: text,
        sequence: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
        verdictId: text,
        recordDigest: digest,
        previousLink: digest,
        link: digest,
      },
    },
    verdict: { type: 'object' },
    facts: { type: 'object' },
  },
})

/** A record as a line of NDJSON with its line feed: canonical JSON, the verdict byte for byte as it was answered. */
export function exportLine({ entry, body, document }: ExportRecord): string {
  const members = [
    ...(entry === undefined ? [] : [`"entry":${canonicalize(entry)}`]),
    ...(document === undefined ? [] : [`"facts":${document}`]),
    `"verdict":${body}`,
  ]
  return `{${members.join(',')}}\n`
}

/** A line of an export, or undefined when it is none. */
export function readExportLine(bytes: Uint8Array): ExportLine | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
  return check(value) ? value : undefined
}
