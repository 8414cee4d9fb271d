import { stat, writeFile } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { Output } from './output.ts'
import { UsageError } from './usage.ts'

async function identityOf(file: string): Promise<string | undefined> {
  const found = await stat(file, { bigint: true }).catch(() => undefined)
  if (found === undefined) return undefined
  if (found.isBlockDevice()) return 'block device'
  return `${found.dev} ${found.ino}`
}

/** Throws a UsageError when the file that is to be written is one of the inputs, by whatever name, or a disk. */
export async function refuseInputs(file: string, inputs: readonly string[]): Promise<void> {
  const identity = await identityOf(file)
  if (identity === undefined) return
  if (identity === 'block device') throw new UsageError('--output is a block device, which is not written to.')
  for (const input of inputs) {
    if ((await identityOf(input)) === identity)
      throw new UsageError('--output is one of the inputs, which are not written to.')
  }
}

/** An output that keeps its text until it is saved to a file at once. */
export function fileOutput(file: string): { readonly output: Output; save(): Promise<void> } {
  const parts: Buffer[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      parts.push(Buffer.from(chunk))
      done()
    },
  })
  return { output: new Output(stream), save: () => writeFile(file, Buffer.concat(parts)) }
}
