import { makeHive, type Tree, type Value } from './hives.ts'
import { changed, type HiveTrees, type Product, products, treesOf } from './products.ts'

type Changes = Readonly<Record<string, Readonly<Record<string, Value | undefined>> | undefined>>

/** A Windows guest, described by what differs from a freshly prepared one. */
export interface GuestDescription {
  readonly product?: keyof typeof products | Product
  /** Keys of SOFTWARE, of SYSTEM within the control set, and of SAM. */
  readonly software?: Changes
  readonly system?: Changes
  readonly sam?: Changes
  /** The number of the control set that is current. */
  readonly controlSet?: number
  /** Files by path; undefined takes one out. */
  readonly files?: Readonly<Record<string, Buffer | string | undefined>>
  /** Changes a hive's bytes before they are stored. */
  readonly damage?: (name: 'SYSTEM' | 'SOFTWARE' | 'SAM', hive: Buffer) => Buffer
}

const config = '/Windows/System32/config'

function trees(guest: GuestDescription): HiveTrees {
  const product = guest.product ?? 'server2019'
  const fresh = treesOf(typeof product === 'string' ? products[product] : product)
  return {
    software: changed(fresh.software, guest.software ?? {}),
    system: changed(fresh.system, guest.system ?? {}),
    sam: changed(fresh.sam, guest.sam ?? {}),
  }
}

function withControlSet(tree: Tree, current: number): Tree {
  const root = `ControlSet${String(current).padStart(3, '0')}`
  const moved = Object.entries(tree).map(([path, values]) => [`${root}\\${path}`, values] as const)
  return { Select: { Current: current, Default: current }, ...Object.fromEntries(moved) }
}

/** All files of the guest, by path. */
export async function guestContents(guest: GuestDescription): Promise<Map<string, Buffer>> {
  const { software, system, sam } = trees(guest)
  const damage = guest.damage ?? ((_name, hive) => hive)
  const files: Record<string, Buffer | string | undefined> = {
    '/bootmgr': 'bootmgr',
    '/Boot/BCD': 'store',
    '/Program Files/Common Files/readme.txt': '',
    '/Windows/System32/drivers/disk.sys': 'MZ',
    [`${config}/SYSTEM`]: damage('SYSTEM', await makeHive(withControlSet(system, guest.controlSet ?? 1))),
    [`${config}/SOFTWARE`]: damage('SOFTWARE', await makeHive(software)),
    [`${config}/SAM`]: damage('SAM', await makeHive(sam)),
    ...guest.files,
  }
  return new Map(
    Object.entries(files).flatMap(([path, content]) =>
      content === undefined ? [] : [[path, Buffer.isBuffer(content) ? content : Buffer.from(content)] as const],
    ),
  )
}
