import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Verdict } from '../../../server/documents/verdict.ts'
import { matches } from '../../../server/schemas.ts'
import { imagegate, type Ran } from '../../cli/support.ts'

const properties = `
      length: 16
      hasUppercase: true
      hasLowercase: true
      hasDigit: true
      hasSpecial: false
      hasOther: false
      startsWithSlash: false
`
const head = `schema: imagegate.attestation/1
by: platform engineer
at: "2026-11-01T09:00:00Z"
facts:
`
const password = (account: string) => `  accounts:
    ${account}:
      passwordProperties:${properties.replaceAll('\n', '\n  ')}
`
const compared = (baseline: string, modified?: string) => `  files:
    systemFiles:
      baseline: ${baseline}
      verification: ${modified === undefined ? 'match' : 'modified'}
      modified: ${modified === undefined ? '[]' : `[{path: ${modified}, change: content}]`}
`

/** Attestations by name: what whoever built an image states of it. */
export const attestations = {
  linux: head + compared('dpkg') + password('root'),
  'linux-password': head + password('root'),
  'linux-modified': head + compared('dpkg', '/usr/bin/ls') + password('root'),
  'linux-weak-password': head + compared('dpkg') + password('root').replace('length: 16', 'length: 6'),
  windows: head + compared('sfc') + password('administrator'),
  'windows-modified': head + compared('sfc', 'C:/Windows/System32/ntdll.dll') + password('administrator'),
} as const

/** A folder that goes with the test. */
export async function workFolder(t: Test, name = 'imagegate-e2e-'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), name))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Writes an attestation into a folder and gives its path. */
export async function attested(folder: string, name: keyof typeof attestations): Promise<string> {
  const path = join(folder, `${name}.yaml`)
  await writeFile(path, attestations[name])
  return path
}

/** SHA-256 of a file. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 4_194_304 })) hash.update(piece)
  return hash.digest('hex')
}

/** What checking an image gave. */
export interface Checked extends Ran {
  readonly verdict: Verdict
}

/** The verdict on standard output; throws when there is none. */
export function verdictOf(ran: Ran): Verdict {
  const verdict: unknown = JSON.parse(ran.stdout)
  if (!matches('verdict', verdict)) throw new Error(`No verdict: ${ran.stdout}\n${ran.stderr}`)
  return verdict
}

/** Runs `imagegate check --format json` on an image in this process. */
export async function check(image: string, args: readonly string[] = []): Promise<Checked> {
  const ran = await imagegate(['check', '--format', 'json', ...args, image])
  if (ran.stdout === '') throw new Error(`Nothing was said of ${image}: exit ${ran.code}, ${ran.stderr}`)
  return { ...ran, verdict: verdictOf(ran) }
}
