/** Where a problem may surface: over HTTP with its status, and on the command line with its exit code. */
export interface ErrorKind {
  /** HTTP status. */
  readonly status: number
  /** What happened, in one short sentence that is the same every time. */
  readonly title: string
  /** What the caller can do about it. */
  readonly mend: string
}
