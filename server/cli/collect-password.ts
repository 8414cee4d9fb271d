import { ReadStream } from 'node:tty'
import type { Attestation } from '../collector/attest.ts'
import { type PasswordAccount, passwordAttestation, passwordProperties } from '../collector/attest-password.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage.ts'

const maxBytes = 16_384
const keys = { enter: 0x0d, lineFeed: 0x0a, interrupt: 0x03, end: 0x04, backspace: 0x08, delete: 0x7f, killLine: 0x15 }

/** A line in one buffer that is cleared, so that no copy of it is left behind by us. */
class SecretLine {
  readonly #bytes = Buffer.alloc(maxBytes)
  #length = 0

  add(byte: number): void {
    if (this.#length === maxBytes) throw new UsageError(`A password has at most ${maxBytes} bytes.`)
    this.#bytes[this.#length] = byte
    this.#length += 1
  }

  /** Takes the last character away, however many bytes it has. */
  eraseLast(): void {
    while (this.#length > 0) {
      this.#length -= 1
      const byte = this.#bytes[this.#length] ?? 0
      if (byte < 0x80 || byte >= 0xc0) return
    }
  }

  eraseAll(): void {
    this.#bytes.fill(0)
    this.#length = 0
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }
}

type Step = 'more' | 'done' | 'interrupted'

/** What one byte of a keyboard does to the line; a pipe knows only the end of a line. */
function take(line: SecretLine, byte: number, typed: boolean): Step {
  if (byte === keys.lineFeed || (typed && (byte === keys.enter || byte === keys.end))) return 'done'
  if (typed && byte === keys.interrupt) return 'interrupted'
  if (typed && (byte === keys.backspace || byte === keys.delete)) line.eraseLast()
  else if (typed && byte === keys.killLine) line.eraseAll()
  else line.add(byte)
  return 'more'
}

async function readLine({ stdin }: Terminal, line: SecretLine, typed: boolean): Promise<void> {
  let given = false
  for await (const chunk of stdin) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    try {
      for (const byte of bytes) {
        given = true
        const step = take(line, byte, typed)
        if (step === 'interrupted') throw new UsageError('Interrupted.')
        if (step === 'done') return
      }
    } finally {
      bytes.fill(0)
    }
  }
  if (!given)
    throw new UsageError('--attest-password reads the password from a terminal, or one line of standard input.')
}

/**
 * Asks for an account's password, without showing it on a terminal, else as the first line of standard input, and attests its length and
 * classes alone. Nothing of it is kept. Throws a UsageError when there is none.
 */
export async function askPassword(account: PasswordAccount, terminal: Terminal): Promise<Attestation> {
  const { stdin, stderr } = terminal
  const keyboard = stdin instanceof ReadStream || (stdin.isTTY === true && 'setRawMode' in stdin) ? stdin : undefined
  const setRaw = (raw: boolean) => {
    if (keyboard !== undefined && 'setRawMode' in keyboard && typeof keyboard.setRawMode === 'function')
      keyboard.setRawMode(raw)
  }
  const line = new SecretLine()
  try {
    if (keyboard !== undefined) await stderr.write(`Password of ${account} (it is not shown and not kept): `)
    setRaw(true)
    await readLine(terminal, line, keyboard !== undefined)
    const carriageReturn = keyboard === undefined && line.bytes.at(-1) === keys.enter
    const bytes = carriageReturn ? line.bytes.subarray(0, -1) : line.bytes
    return passwordAttestation(account, passwordProperties(bytes), terminal.now().toISOString())
  } finally {
    line.eraseAll()
    setRaw(false)
    if (keyboard !== undefined) await stderr.write('\n')
  }
}
