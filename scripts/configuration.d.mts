import type { Setting } from '../server/settings.ts'

/** The settings as a Markdown table. */
export function configurationTable(settings: readonly Setting[]): string

/** A page with the table between its two marks. */
export function withTable(text: string, table: string): string
