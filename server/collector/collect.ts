import { realpath } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import type { FactDocument, Volume } from '../documents/facts.ts'
import { ImagegateError } from '../errors.ts'
import { parseFacts } from '../facts/parse.ts'
import { secretIn } from '../facts/secrets.ts'
import { programVersion } from '../version.ts'
import { GuestError } from './guest.ts'
import { type ImageOptions, type OpenImage, openImage } from './image.ts'
import { type Contribution, documentOf, mergeFacts, type Origin } from './merge.ts'
import type { Facts, Missing, Part } from './part.ts'
import { openBytes } from './sniff/bytes.ts'
import type { GuestRead } from './sniff/result.ts'
import { sniff } from './sniff/sniff.ts'
import { checksOf } from './volumes/open-volumes.ts'

/** How facts are collected. */
export interface CollectOptions extends ImageOptions {
  /** Compare packaged system files with the package database, which takes seconds. */
  readonly systemFiles?: boolean
  /** Told what is being done, a few words at a time. */
  readonly onStep?: (step: string) => void
  /** Told, once or more, when the longest reading goes on by itself, so that what else needs this thread may begin. */
  readonly onReading?: () => void
  readonly now?: () => Date
}

/** What the parts are collected into. */
interface Gathered {
  readonly contributions: Contribution[]
  readonly missing: Missing[]
}

/** One origin for every method, so that sources are few. */
function origins(at: string): (method: string) => Origin {
  const known = new Map<string, Origin>()
  return (method) => {
    const text = method.slice(0, 512).toWellFormed() || 'offline'
    const origin = known.get(text) ?? {
      collector: 'imagegate',
      version: programVersion(),
      method: text,
      basis: 'observed',
      at,
    }
    known.set(text, origin)
    return origin
  }
}

/** A file's name as a fact: it may be hostile, too long, or look like a secret. */
function nameFact(part: Part): Part {
  const { image } = part.facts
  if (image === undefined) return part
  const name = image.name.toWellFormed().slice(0, 255)
  return {
    ...part,
    facts: { ...part.facts, image: { ...image, name: name === '' || secretIn(name) ? 'image' : name } },
  }
}

/** The volumes as their own file systems tell, each with its own origin: a list grows by one volume at a time. */
function addVolumes({ volumes, volumesComplete }: OpenImage, originOf: (method: string) => Origin, to: Gathered): void {
  if (!volumesComplete) return
  if (volumes.length === 0) to.contributions.push({ facts: { volumes: [] }, origin: originOf('blkid -p') })
  const list: Volume[] = []
  for (const { facts, method } of volumes) {
    list.push(facts)
    to.contributions.push({ facts: { volumes: [...list] }, origin: originOf(method) })
  }
}

/** The volumes once more, with what the checks tell that ran beside everything else. */
async function addChecks({ volumes }: OpenImage, originOf: (method: string) => Origin, to: Gathered): Promise<void> {
  const { facts, missing } = await checksOf(volumes)
  to.missing.push(...missing)
  const told = to.contributions.findLast((one) => one.facts.volumes !== undefined)?.facts.volumes
  if (told === undefined) return
  const list = [...told]
  for (const [index, { method }] of volumes.entries()) {
    list[index] = { ...list[index], ...facts[index] }
    to.contributions.push({ facts: { volumes: [...list] }, origin: originOf(method) })
  }
}

/** Why there is no guest to read, in the words of what kept its volumes from being read. */
function noGuest({ missing }: OpenImage): Missing {
  const cause = missing.find(({ pointer }) => pointer === '/volumes' || pointer === '/disk')
  const { code, reason } = cause ?? { code: 'no-system', reason: 'The disk holds no volume.' }
  return { pointer: '/os', code, reason }
}

/** That there is no sandbox, and what brings it where its program is missing. */
async function withoutSandbox({ tools }: OpenImage): Promise<string> {
  const notice = 'Programs that read the image run without a sandbox here; imagegate doctor says more.'
  return tools.find('bwrap').then(
    () => notice,
    (error: GuestError) => `${error.message} ${notice}`,
  )
}

async function gather(
  open: OpenImage,
  { collectGuest }: typeof import('./collect-guest.ts'),
  read: GuestRead | undefined,
  options: CollectOptions,
  at: string,
): Promise<Gathered> {
  const originOf = origins(at)
  const gathered: Gathered = { contributions: [], missing: [...open.missing] }
  const add = (part: Part) => {
    gathered.contributions.push({ facts: part.facts, origin: originOf(part.method) })
    gathered.missing.push(...(part.missing ?? []))
  }
  add(nameFact(open.image))
  add(open.disk)
  addVolumes(open, originOf, gathered)
  options.onStep?.('files of the guest')
  const disk: Facts['disk'] = open.disk.facts.disk
  if (open.volumes.length === 0) gathered.missing.push(noGuest(open))
  else {
    const { systemFiles = false, onReading } = options
    for (const part of await collectGuest(open, disk, { systemFiles, read, onReading })) add(part)
  }
  options.onStep?.('checks of file systems')
  await addChecks(open, originOf, gathered)
  return gathered
}

function documented({ contributions, missing }: Gathered, at: string): FactDocument {
  const own: Origin = { collector: 'imagegate', version: programVersion(), method: 'offline', basis: 'observed', at }
  const document = documentOf(mergeFacts(contributions), missing, own)
  return parseFacts(Buffer.from(JSON.stringify(document))).document
}

function unreadable(path: string, cause: unknown): ImagegateError {
  const code = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  const text = cause instanceof GuestError ? cause.message : `${path} cannot be read (${String(code ?? 'unknown')}).`
  return new ImagegateError('FILE_UNREADABLE', text, { cause })
}

function isExpected(error: unknown): boolean {
  return error instanceof GuestError || (error instanceof Error && 'syscall' in error)
}

/**
 * Collects the facts of an image, read-only and without its system running. Whatever cannot be had is absent with its reason, and the rest
 * goes on. Throws FILE_UNREADABLE for what is no readable file, IMAGE_CHANGED when it was written to meanwhile, and the signal's reason when it aborts.
 */
export async function collectImage(path: string, options: CollectOptions = {}): Promise<FactDocument> {
  const at = (options.now?.() ?? new Date()).toISOString()
  options.signal?.throwIfAborted()
  options.onStep?.('container, disk and file systems')
  try {
    const file = await openBytes(await realpath(path))
    try {
      // Reading guests takes many modules, which are loaded while the first programs run, and not before they do.
      const guests = () => import('./collect-guest.ts')
      let begun = false
      const onProgram = () => {
        if (begun) return
        begun = true
        guests().then(
          ({ prepareGuest }) => prepareGuest(file.size),
          () => undefined,
        )
      }
      const open = await openImage(path, { ...options, onProgram })
      let document: Promise<FactDocument>
      let unchanged = false
      try {
        if (!open.conditions.sandboxed) options.onNotice?.(await withoutSandbox(open))
        const { guest, refusal } = await sniff(file)
        const gathered = await gather(open, await guests(), refusal === undefined ? guest : undefined, options, at)
        options.onStep?.('document')
        // Programs take a while to end, in which the document is made.
        document = setImmediate().then(() => documented(gathered, at))
        document.catch(() => undefined)
      } finally {
        unchanged = (await open.close()).unchanged
      }
      options.signal?.throwIfAborted()
      if (!unchanged) throw new ImagegateError('IMAGE_CHANGED', `${path} was written to while it was read.`)
      return await document
    } finally {
      await file.close()
    }
  } catch (error) {
    options.signal?.throwIfAborted()
    throw isExpected(error) ? unreadable(path, error) : error
  }
}
