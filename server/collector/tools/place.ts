/** Where a program finds bytes of an image. */
export interface Place {
  readonly path: string
  /** The process whose name spaces the path is in; our own when there is none. */
  readonly inside?: number
  /** Where the bytes begin in that file, for programs that can be told so; 0 when it is absent. */
  readonly offset?: number
}
