import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FactDocument } from '../documents/facts.ts'
import type { Case, Options as CaseOptions, PolicyTest } from '../documents/policy-test.ts'
import type { Options } from '../documents/verdict.ts'
import { ImagegateError } from '../errors.ts'
import { familyOf } from '../evaluation/family.ts'
import { resolveOptions } from '../evaluation/options.ts'
import { parseFacts } from '../facts/parse.ts'
import type { CaseFile } from './case-files.ts'
import { patched } from './patch.ts'

/** A fact document with resolved options: all that a policy is asked about. */
export interface Situation {
  readonly facts: FactDocument
  readonly request: Options
}

/** A case, ready to be run under its policy or a mutant of it. Bases that are one document with one set of options are one object. */
export interface PreparedCase {
  /** Path of its file inside the policies' folder, and its line, counted from 1. */
  readonly file: string
  readonly line: number
  readonly family: PolicyTest['family']
  readonly version: string
  readonly one: Case
  /** Path of the base document, relative to the folder above the policies'. */
  readonly basePath: string
  readonly options: CaseOptions
  readonly base: Situation
  readonly changed: Situation
}

/** A case that cannot be run, and why. */
export interface BrokenCase extends Pick<PreparedCase, 'file' | 'line' | 'family' | 'version' | 'one'> {
  readonly reason: string
}

/** What ImagegateError keeps in problems, as one line. */
function reasonOf(error: unknown): string {
  if (!(error instanceof ImagegateError)) return error instanceof Error ? error.message : String(error)
  const problems = error.problems.map(({ pointer = '', message }) => `${pointer} ${message}`.trim())
  return [error.message, ...problems].join(' ')
}

/** Bytes of a document, so that cases are checked as everything that arrives is. Throws an ImagegateError for an invalid one. */
function checkedFacts(document: unknown, family: string, request: Options): FactDocument {
  const facts = parseFacts(Buffer.from(JSON.stringify(document))).document
  const selected = familyOf(facts, request)
  if (selected === family) return facts
  throw new RangeError(`The document is judged by the family ${selected}, not by ${family}.`)
}

/** Prepares cases; each base document is read and checked once. */
export class Preparation {
  /** Base documents stand below this folder. */
  readonly #top: string
  readonly #documents = new Map<string, Promise<FactDocument>>()
  readonly #bases = new Map<string, Situation>()

  /** For the cases in a folder of policies. */
  constructor(policies: string) {
    this.#top = join(policies, '..')
  }

  #document(path: string): Promise<FactDocument> {
    const known = this.#documents.get(path)
    if (known !== undefined) return known
    const reading = readFile(join(this.#top, path)).then((body) => parseFacts(body).document)
    this.#documents.set(path, reading)
    return reading
  }

  async #base(path: string, family: string, options: CaseOptions): Promise<Situation> {
    const key = JSON.stringify([path, family, options])
    const known = this.#bases.get(key)
    if (known !== undefined) return known
    const request = resolveOptions(options)
    const situation = { facts: checkedFacts(await this.#document(path), family, request), request }
    this.#bases.set(key, situation)
    return situation
  }

  async #one({ file, test, at }: CaseFile, index: number, one: Case): Promise<PreparedCase | BrokenCase> {
    const { family, version } = test
    const head = { file, line: at(['cases', index]).line, family, version, one }
    try {
      const basePath = one.base ?? test.base
      const base = await this.#base(basePath, family, test.options ?? {})
      const options = one.options ?? test.options ?? {}
      const request = resolveOptions(options)
      const changed = { facts: checkedFacts(patched(base.facts, one.patch), family, request), request }
      return { ...head, basePath, options, base, changed }
    } catch (error) {
      return { ...head, reason: reasonOf(error) }
    }
  }

  /** Every case of a file, in its order. */
  async cases(file: CaseFile): Promise<(PreparedCase | BrokenCase)[]> {
    const prepared: (PreparedCase | BrokenCase)[] = []
    for (const [index, one] of file.test.cases.entries()) prepared.push(await this.#one(file, index, one))
    return prepared
  }
}
