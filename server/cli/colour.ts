import { styleText } from 'node:util'
import type { Output } from './output.ts'

/** What --color may say. */
export const colourChoices = ['auto', 'always', 'never'] as const

/** The value of --color. */
export type ColourChoice = (typeof colourChoices)[number]

type Style = Parameters<typeof styleText>[0]

/** Gives a text a style, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string

/** Whether the environment asks for no colour (no-color.org), or the terminal knows none. */
export function colourUnwanted(environment: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return Boolean(environment['NO_COLOR']) || environment['TERM'] === 'dumb'
}

/** Colour on a terminal that wants it, or as --color says. */
export function painter(choice: ColourChoice, output: Output, unwanted: boolean): Paint {
  const coloured = choice === 'always' || (choice === 'auto' && output.isTerminal && !unwanted)
  return (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text)
}
