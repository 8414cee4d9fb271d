/** A position in a list: rows with an id below `before`, of those that were there when the first page was read. */
export interface ListPosition {
  /** The newest id that belongs to the list; pinned by the first page so that later pages show the same list. */
  readonly upTo: string
  /** The last id of the page before. */
  readonly before: string
}
