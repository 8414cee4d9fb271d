import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../server/digest.ts'
import { lockFile, readPolicySet, shippedPolicies } from '../../server/policy/load.ts'
import type { PolicySet } from '../../server/policy/set.ts'

/** A set of policies of which two families have a version of its own in force: whoever mixes two sets shows it. */
export interface GoodSet {
  /** The version of both families. */
  readonly version: string
  /** The files that only this set has. */
  readonly files: ReadonlyMap<string, string>
  /** All policy files. */
  readonly all: ReadonlyMap<string, string>
  readonly lock: string
  readonly set: PolicySet
}

const families = ['linux', 'nonstandard-linux'] as const

async function shipped(name: string): Promise<string> {
  return readFile(join(shippedPolicies, name), 'utf8')
}

/** Another version of a text: in force later, and its rules' titles and so its findings tell it apart. */
function newer(text: string, version: string): string {
  return text
    .replace(/^version: .*$/m, `version: "${version}"`)
    .replace(/^effectiveFrom: .*$/m, 'effectiveFrom: 2021-01-01T00:00:00Z')
    .replaceAll(/^( {4}title: )(.*)$/gm, (_line, head: string, title: string) => `${head}${title} as of ${version}`)
}

/** The set of shipped policies with version 1.N.0 of two families. */
export async function goodSet(number: number): Promise<GoodSet> {
  const version = `1.${number}.0`
  const lock = JSON.parse(await shipped(lockFile))
  const files = new Map<string, string>()
  const all = new Map<string, string>()
  for (const { family } of lock.policies) all.set(`${family}/1.0.0.yaml`, await shipped(`${family}/1.0.0.yaml`))
  for (const family of families) {
    const text = newer(await shipped(`${family}/1.0.0.yaml`), version)
    files.set(`${family}/${version}.yaml`, text)
    lock.policies.push({ family, version, digest: sha256(text), effectiveFrom: '2021-01-01T00:00:00Z' })
  }
  const locked = JSON.stringify(lock, undefined, 2)
  for (const [file, text] of files) all.set(file, text)
  const set = readPolicySet({ lock: locked, files: all }, { released: true })
  return { version, files, all, lock: locked, set }
}

/** A folder with the shipped policies alone. */
export async function policyFolder(folder: string): Promise<void> {
  for (const family of ['linux', 'nonstandard-linux', 'unidentified', 'windows-server']) {
    await cp(join(shippedPolicies, family, '1.0.0.yaml'), join(folder, family, '1.0.0.yaml'))
  }
  await cp(join(shippedPolicies, lockFile), join(folder, lockFile))
}

/** Puts a set into a folder in place of another, file by file. */
export async function putSet(folder: string, { files, lock }: GoodSet, before?: GoodSet): Promise<void> {
  for (const file of before?.files.keys() ?? []) if (!files.has(file)) await rm(join(folder, file), { force: true })
  for (const [file, text] of files) await writeFile(join(folder, file), text)
  await writeFile(join(folder, lockFile), lock)
}
