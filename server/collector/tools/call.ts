import type { Pieces } from '../guest.ts'
import type { Limits } from './limits.ts'
import type { Place } from './place.ts'
import type { Ended } from './spawn.ts'
import type { ToolName } from './table.ts'

/** Paths as a program sees them: of the place, and of its own directory. */
export interface Seen {
  readonly image: string
  readonly folder: string
}

/** One run of a program. */
export interface ToolCall {
  readonly tool: ToolName
  /** What is shown to it, read-only. */
  readonly place?: Place
  /** Files put into its folder before it starts, whole or in pieces. */
  readonly files?: Readonly<Record<string, string | Uint8Array | Pieces>>
  /** Whether the program may write into its folder. */
  readonly writes?: boolean
  readonly args: (at: Seen) => readonly string[]
  /** A file of that folder that is moved elsewhere on the same file system instead of being read. */
  readonly keep?: { readonly name: string; readonly path: string }
  /** A new file for what it prints, which is not kept then and as large as a file that it writes may be. */
  readonly output?: string
  /** One that an image can make take all the memory that a program may have: so one such runs at a time. */
  readonly heavy?: true
  readonly limits?: Partial<Limits>
}

/** How a program ended, and what it wrote into its folder. */
export interface ToolResult extends Ended {
  readonly files: ReadonlyMap<string, Buffer>
}
