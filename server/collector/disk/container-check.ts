import type { Image } from '../../documents/facts.ts'
import { GuestError } from '../guest.ts'
import type { Sniffed } from '../sniff/result.ts'
import type { Toolbox } from '../tools/toolbox.ts'
import { imageOptions } from './copy-range.ts'

type Check = NonNullable<NonNullable<Image['container']>['check']>

const results: Readonly<Record<number, Check>> = { 0: 'clean', 2: 'corrupt', 3: 'leaks' }

/** The check of the container's own metadata: by qemu-img for a QCOW2, already done for a VHD, none for raw. */
export async function checkContainer(tools: Toolbox, path: string, sniffed: Sniffed): Promise<Check | undefined> {
  const { layout } = sniffed
  if (sniffed.refusal || layout?.driver !== 'qcow2') return sniffed.image.container?.check
  const result = await tools.run({
    tool: 'qemu-img',
    place: { path },
    args: ({ image }) => ['check', '-q', '--image-opts', imageOptions(layout, image)],
    limits: { seconds: 30 },
  })
  const check = results[result.code ?? -1]
  if (check === undefined) throw new GuestError('damaged', 'qemu-img could not check the QCOW2.')
  return check
}
