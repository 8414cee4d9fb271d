import { resolve } from 'node:path'
import { readCaseFiles } from '../authoring/case-files.ts'
import { type BrokenCase, Preparation, type PreparedCase } from '../authoring/situation.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import { readPolicyFolder } from './policy-folder.ts'
import { selectPolicies } from './policy-selection.ts'
import type { Terminal } from './terminal.ts'

/** Policies that were chosen, with every case of their families. */
export interface ChosenPolicies {
  readonly folder: string
  readonly selected: readonly ReleasedPolicy[]
  readonly cases: readonly (PreparedCase | BrokenCase)[]
}

/** The folder of the policies, as given or as configured. */
export function policyFolderPath(given: string | undefined, terminal: Terminal): string {
  return given === undefined ? terminal.config().policies : resolve(given)
}

/** Reads policies by FAMILY or FAMILY/VERSION, and the cases beside them. Throws as readPolicyFolder, selectPolicies and readCaseFiles do. */
export async function choosePolicies(
  names: readonly string[],
  given: string | undefined,
  terminal: Terminal,
): Promise<ChosenPolicies> {
  const { policies } = await readPolicyFolder(given, terminal)
  const selected = selectPolicies(policies, names)
  const folder = policyFolderPath(given, terminal)
  const versions = policies.versions.filter(({ family }) => selected.some((one) => one.family === family))
  const preparation = new Preparation(folder)
  const files = await readCaseFiles(folder, { versions })
  const prepared = await Promise.all(files.map((file) => preparation.cases(file)))
  return { folder, selected, cases: prepared.flat() }
}
