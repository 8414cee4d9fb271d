import type { GuestFiles } from '../guest.ts'
import { ipv6Of } from './interface.ts'
import { atMost, readText, stated } from './text.ts'

const directories = ['/var/lib/dhcp', '/var/lib/dhclient', '/var/lib/NetworkManager', '/var/db']
const maxFiles = 32
const maxAddresses = 128

/** Addresses that a DHCPv6 client remembers, with the interface that the file's name tells. */
export async function learnedAddresses(files: GuestFiles): Promise<{ address: string; interface?: string }[]> {
  const lists = await Promise.all(directories.map((directory) => files.list(directory)))
  const paths = lists.flatMap((list, index) =>
    (list ?? [])
      .map(({ name }) => name)
      .filter((name) => /^dhclient6?[^/]*\.leases?$/.test(name))
      .map((name) => ({ name, path: `${directories[index] ?? ''}/${name}` })),
  )
  const texts = await Promise.all(atMost(maxFiles, 'files of leases', paths).map(({ path }) => readText(files, path)))
  const found = texts.flatMap((text, index) => {
    const name = /(?:^dhclient6?[-.](?:[0-9a-f-]{36}-)?)([a-z][a-z0-9]{1,14})\.leases?$/.exec(
      paths[index]?.name ?? '',
    )?.[1]
    const addresses = [...(text ?? '').matchAll(/^[ \t]*iaaddr[ \t]+([0-9a-fA-F:.]{2,45})[ \t]*\{/gm)].map((match) =>
      ipv6Of(match[1] ?? ''),
    )
    return addresses.flatMap((address) => (address === undefined ? [] : [stated({ address, interface: name })]))
  })
  const distinct = new Map(found.map((one) => [`${one.interface ?? ''} ${one.address}`, one]))
  return [...atMost(maxAddresses, 'leases', [...distinct.values()])]
}
