import type { Bytes } from './bytes.ts'
import { damaged, type Sniffed, selfContained } from './result.ts'
import { readDynamic } from './vhd-dynamic.ts'
import { type Footer, footerBytes, parseFooter } from './vhd-footer.ts'

const subformats = { 2: 'fixed', 3: 'dynamic', 4: 'differencing' } as const

function subformatOf(type: number): 'fixed' | 'dynamic' | 'differencing' | undefined {
  return type === 2 || type === 3 || type === 4 ? subformats[type] : undefined
}

/** The footer at the end of the file: 512 bytes, or 511 as before Virtual PC 2004. */
export async function footerAtEnd(file: Bytes): Promise<Footer | undefined> {
  const tail = await file.read(Math.max(0, file.size - footerBytes), footerBytes)
  return parseFooter(tail, 0) ?? parseFooter(tail, 1)
}

function fixed(file: Bytes, footer: Footer): Sniffed {
  const dataBytes = file.size - footer.length
  const sound = footer.sound && footer.currentBytes === dataBytes
  const image = {
    format: 'vhd',
    subformat: 'fixed',
    virtualSizeBytes: footer.currentBytes,
    container: { ...selfContained, check: sound ? 'clean' : 'corrupt', compatibility: footer.version },
  } as const
  if (footer.currentBytes > dataBytes) return { image, refusal: damaged('The VHD is shorter than its footer says.') }
  const sizeBytes = footer.currentBytes
  const guest = (offset: number, length: number) => file.read(offset, Math.max(0, Math.min(length, sizeBytes - offset)))
  return { image, layout: { driver: 'raw', sizeBytes }, guest }
}

/** Reads a VHD by its footer; the copy at the start counts when the end is cut off. */
export async function sniffVhd(file: Bytes): Promise<Sniffed> {
  const copy = parseFooter(await file.read(0, footerBytes), 0)
  const last = await footerAtEnd(file)
  const footer = last ?? copy
  if (!footer) return { image: { format: 'vhd' }, refusal: damaged('The VHD footer is cut off.') }
  const subformat = subformatOf(footer.type)
  if (subformat === 'fixed') return fixed(file, footer)
  const virtual = { virtualSizeBytes: footer.currentBytes }
  const container = { ...selfContained, compatibility: footer.version }
  if (subformat === 'differencing') {
    const refusal = {
      code: 'refused',
      reason: 'The VHD is differencing: it holds only changes to another file.',
    } as const
    return { image: { format: 'vhd', subformat, ...virtual, container: { ...container, backingFile: true } }, refusal }
  }
  if (subformat === undefined)
    return { image: { format: 'vhd', ...virtual, container }, refusal: damaged(`The VHD has type ${footer.type}.`) }
  const dynamic = await readDynamic(file, footer)
  const twins = last !== undefined && copy !== undefined && last.bytes.equals(copy.bytes)
  const sound = footer.sound && twins && dynamic?.sound === true
  const image = {
    format: 'vhd',
    subformat,
    ...virtual,
    container: { ...container, check: sound ? 'clean' : 'corrupt' },
  } as const
  if (!dynamic) return { image, refusal: damaged('The header of the dynamic VHD is missing.') }
  if (!copy) return { image, refusal: damaged('The dynamic VHD lacks the copy of its footer at the start.') }
  return { image, layout: { driver: 'vpc', sizeBytes: copy.qemuBytes }, guest: dynamic.guest }
}
