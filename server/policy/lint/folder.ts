import type { Policy } from '../../documents/policy.ts'
import type { PolicyLock } from '../../documents/policy-lock.ts'
import type { PolicyTest } from '../../documents/policy-test.ts'
import type { Found, Head, ReadSource } from './head.ts'

/** A policy file; without `policy` when its schema refuses it. */
export interface FolderPolicy {
  readonly source: ReadSource
  readonly policy: Policy | undefined
}

/** Policies, cases and lock that belong together. */
export interface Folder {
  readonly policies: readonly FolderPolicy[]
  readonly tests: readonly { readonly source: ReadSource; readonly test: PolicyTest }[]
  readonly lock: { readonly source: ReadSource; readonly lock: PolicyLock } | undefined
  /** Whether there is a base document at this path, relative to the repository's top. */
  exists(path: string): boolean
}

/** A finding in one of the folder's files. */
export interface FolderFound extends Found {
  readonly source: ReadSource
}

/** One rule of lint that looks at several files together. */
export interface FolderRule {
  readonly head: Head
  check(folder: Folder): readonly FolderFound[]
}
