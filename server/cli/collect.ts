import type { Command } from 'commander'
import type { Attestation } from '../collector/attest.ts'
import type { FactDocument } from '../documents/facts.ts'
import { readAttestations } from './collect-attest.ts'
import { collector } from './collect-image.ts'
import { interruptible } from './collect-interrupt.ts'
import { addCollectOptions, attestNotes, type CollectFlags, warnRoot } from './collect-options.ts'
import { fileOutput, refuseInputs } from './collect-output.ts'
import { progressOn } from './collect-progress.ts'
import type { Context } from './context.ts'
import { safeJson, safeText } from './escape.ts'
import { exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import type { Terminal } from './terminal.ts'
import { helpTail } from './usage.ts'

interface CollectOptions extends CollectFlags {
  readonly output?: string
}

const help = helpTail(
  [
    'imagegate collect disk.qcow2 --output facts.json',
    'imagegate collect disk.qcow2 | imagegate evaluate -',
    'imagegate collect disk.raw --attest build.yaml --attest-password root < password.txt',
  ],
  ['0  collected; what is missing stands in the document with its reason', '3  could not run'],
  ['The image is opened for reading alone. imagegate doctor lists the programs that are needed.', ...attestNotes],
)

async function collected(
  image: string,
  options: CollectOptions,
  attestations: readonly Attestation[],
  terminal: Terminal,
): Promise<FactDocument> {
  const progress = progressOn(terminal.stderr)
  const collect = await collector(options, attestations, terminal)
  return interruptible((signal) =>
    collect(image, signal, (step) => progress.show(`${image}: ${step}`), progress.say).finally(() => progress.clear()),
  )
}

async function run(image: string, options: CollectOptions, terminal: Terminal): Promise<void> {
  const { stdout, stderr } = terminal
  const { output } = options
  if (output !== undefined) await refuseInputs(output, [image, ...options.attest])
  await warnRoot(terminal)
  const attestations = await readAttestations(options.attest, options.attestPassword, terminal)
  const document = await collected(image, options, attestations, terminal)
  if (output === undefined) return stdout.write(jsonReport(document, stdout))
  const file = fileOutput(output)
  await file.output.write(`${safeJson(JSON.stringify(document, undefined, 2))}\n`)
  await file.save()
  const missing = document.collection.missing?.length ?? 0
  const told =
    missing === 0 ? 'Nothing is missing.' : `Missing: ${missing}, each with its reason in collection/missing.`
  await stderr.write(`${safeText(output)} was written. ${told}\n`)
}

/** Makes a command `imagegate collect`. */
export function addCollect(command: Command, { terminal, exit }: Context): void {
  command
    .description(
      'Reads a disk image and writes its document of facts. Nothing is written to the image, and nothing in it is run.',
    )
    .argument('<image>', 'RAW, QCOW2 or VHD; anything else is named in the facts')
    .option('--output <file>', 'write the document to this file (default: standard output)')
  addCollectOptions(command)
    .addHelpText('after', help)
    .action(async (image: string, options: CollectOptions) => {
      await run(image, options, terminal)
      exit(exitCodes.ready)
    })
}
