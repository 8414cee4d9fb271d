import type { Place, YamlText } from '../yaml-text.ts'

/** error: the policies cannot be used, or say what nobody means. warning: probably a mistake. note: worth knowing. */
export type Severity = 'error' | 'warning' | 'note'

/** What a rule of lint finds. docs/lint.md is compared with all of them by a test. */
export interface Head {
  /** Stable, for suppressing and searching. */
  readonly code: string
  readonly severity: Severity
  /** What is wrong, in one sentence that is the same every time. */
  readonly says: string
  /** What to do about it. */
  readonly mend: string
}

/** A file that is linted. */
export interface Source {
  /** Its name in problems. */
  readonly file: string
  /** Its path in the policies' folder, slashes between; empty for a file that stands alone. */
  readonly path: string
  readonly text: string
}

/** A file that is linted, read as YAML; JSON is read so, too. */
export interface ReadSource extends Source {
  readonly yaml: YamlText
}

/** One place where a rule found something. */
export interface Found {
  readonly place: Place
  readonly message: string
  /** What to do here, where more can be said than the head does. */
  readonly mend?: string
}

/** One problem, with line and column counted from 1. */
export interface LintProblem {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly code: string
  readonly severity: Severity
  readonly message: string
  readonly mend: string
}

/** A finding with its position in the file. */
export function placed(head: Head, source: ReadSource, { place, message, mend = head.mend }: Found): LintProblem {
  const { code, severity } = head
  return { file: source.file, ...source.yaml.at(place), code, severity, message, mend }
}

/** A mend that names what was probably meant, if anything. */
export function meantMend(meant: string | undefined): { mend?: string } {
  return meant === undefined ? {} : { mend: `Did you mean ${meant}?` }
}
