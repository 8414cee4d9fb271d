import { GuestError } from '../guest.ts'

/** What variables may put into the words of one configuration, all together. No distribution comes near. Unit: characters. */
const maxExpanded = 1_048_576
/** What one word may become: a kernel's command line has at most 4096 bytes. Unit: characters. */
const maxWord = 65_536

const reference = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g

/** The variables of a GRUB script. Each may hold another one twice, again and again, so what they become is counted. */
export class GrubVariables {
  readonly #own: Map<string, string>
  readonly #outer: GrubVariables | undefined
  readonly #room: { left: number }

  /** From the variables of grubenv, or of an entry in the script around it. */
  constructor(from: ReadonlyMap<string, string> | GrubVariables = new Map()) {
    const outer = from instanceof GrubVariables ? from : undefined
    this.#outer = outer
    this.#own = from instanceof GrubVariables ? new Map() : new Map(from)
    this.#room = outer === undefined ? { left: maxExpanded } : outer.#room
  }

  /** The value of a variable; undefined when there is none. */
  get(name: string): string | undefined {
    return this.#own.get(name) ?? this.#outer?.get(name)
  }

  /** Puts values in the place of $name and ${name}; a name without a value becomes nothing, as in GRUB. Throws a GuestError: too-large. */
  expand(text: string): string {
    let length = text.length
    return text.replace(reference, (_, braced?: string, plain?: string) => {
      const value = this.get(braced ?? plain ?? '') ?? ''
      length += value.length
      this.#room.left -= value.length
      if (length > maxWord || this.#room.left < 0)
        throw new GuestError('too-large', 'The variables of GRUB become too long.')
      return value
    })
  }

  /**
   * Does what an assignment among a statement's words asks for. A variable of grubenv keeps its value, because grub.cfg only states what to
   * take without it; so does, within an entry, one of the script around it. Throws a GuestError: too-large.
   */
  assign(words: readonly string[], kept: ReadonlyMap<string, string> | undefined = undefined): void {
    const text = words[0] === 'set' ? words[1] : words.length === 1 ? words[0] : undefined
    const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(text ?? '') ?? []
    if (name === undefined || value === undefined || name === 'default') return
    if (!kept?.has(name) && this.#outer?.get(name) === undefined) this.#own.set(name, this.expand(value))
  }
}
