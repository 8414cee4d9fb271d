import { readFile } from 'node:fs/promises'
import type { Attestation } from '../collector/attest.ts'
import { parseAttestation } from '../collector/attest-file.ts'
import type { PasswordAccount } from '../collector/attest-password.ts'
import { ImagegateError } from '../errors.ts'
import { askPassword } from './collect-password.ts'
import type { Terminal } from './terminal.ts'

const maxBytes = 1_048_576

async function readText(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const code = cause instanceof Error ? String(Reflect.get(cause, 'code') ?? cause.message) : 'unknown'
    throw new ImagegateError('FILE_UNREADABLE', `${file} cannot be read (${code}).`, { cause })
  })
  if (text.length <= maxBytes) return text
  throw new ImagegateError('BODY_TOO_LARGE', `${file}: an attestation has at most ${maxBytes} bytes.`)
}

/** YAML 1.2, and so JSON. The parser's own messages may quote the text, so only their places are told. */
async function parseYaml(text: string, file: string): Promise<unknown> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true, strict: true })
  const broken = [...document.errors, ...document.warnings]
  if (broken.length === 0) return document.toJS({ maxAliasCount: 100 })
  const problems = broken.map(({ code, linePos }) => {
    const place = linePos?.[0] === undefined ? {} : { line: linePos[0].line, column: linePos[0].col }
    return { file, ...place, message: `It is not valid YAML (${code}).` }
  })
  throw new ImagegateError('JSON_MALFORMED', 'The attestation is neither YAML nor JSON.', { problems })
}

/** Everything that is attested on the command line: files in their order, then the password. */
export async function readAttestations(
  files: readonly string[],
  account: PasswordAccount | undefined,
  terminal: Terminal,
): Promise<Attestation[]> {
  const attestations: Attestation[] = []
  for (const file of files) attestations.push(parseAttestation(await parseYaml(await readText(file), file), file))
  if (account !== undefined) attestations.push(await askPassword(account, terminal))
  return attestations
}
