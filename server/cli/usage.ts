import { Option } from 'commander'
import { type ColourChoice, colourChoices } from './colour.ts'
import type { Output } from './output.ts'

/** A command that cannot be run as it was given; told on standard error, exit code 3. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** What --format says where both a human and a JSON form exist. */
export type Format = 'human' | 'json'

/** Options that every command with a human form has. */
export interface ShowOptions {
  readonly format?: Format
  readonly color: ColourChoice
}

/** --color */
export function colourOption(): Option {
  const description = 'colour; auto: on a terminal, unless NO_COLOR is set'
  return new Option('--color <when>', description).choices([...colourChoices]).default('auto')
}

/** --format human|json */
export function formatOption(): Option {
  const description = 'form of the output (default: human on a terminal, json otherwise)'
  return new Option('--format <format>', description).choices(['human', 'json'])
}

/** The form of the output: as asked for, else human on a terminal and JSON otherwise. */
export function formatOf(asked: Format | undefined, output: Output): Format {
  return asked ?? (output.isTerminal ? 'human' : 'json')
}

/** Text for the end of a command's help: its examples, then what its exit codes mean. */
export function helpTail(examples: readonly string[], codes: readonly string[], notes: readonly string[] = []): string {
  const part = (heading: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', heading, ...lines.map((line) => `  ${line}`)]
  return [...part('Notes:', notes), ...part('Examples:', examples), ...part('Exit codes:', codes)].join('\n')
}
