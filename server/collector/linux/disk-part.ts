import type { Part } from '../part.ts'
import { firstPartition } from './first-partition.ts'
import type { LinuxInput } from './input.ts'
import { type Layout, partitionFacts, volumeFacts } from './roles.ts'
import { stated } from './text.ts'
import { missing, topic } from './topic.ts'

const method = 'partition table, volumes and /etc/fstab'

/** The lists of volumes and of partitions, whole, with what the installed system does with each. */
export async function collectDisk(input: LinuxInput, layout: Layout): Promise<Part[]> {
  const { disk } = input
  return Promise.all([
    topic(['/volumes'], method, () => {
      const volumes = input.volumes.map((volume) => volumeFacts(volume, layout, input))
      const lost = volumes.flatMap(({ mounted }, index) =>
        mounted === undefined
          ? [missing(`/volumes/${index}/mounted`, 'undeterminable', 'Not everything that fstab mounts could be told.')]
          : [],
      )
      if (input.complete) return { facts: { volumes }, missing: lost }
      return {
        facts: {},
        missing: [missing('/volumes', 'incomplete', 'Not every volume of the image could be found.')],
      }
    }),
    topic(['/disk/partitions', '/disk/firstPartition'], method, async () => {
      if (disk === undefined) return { facts: {} }
      const partitions = disk.partitions && partitionFacts(disk.partitions, layout, input)
      const first = await firstPartition(input, layout)
      const lost = (partitions ?? []).flatMap(({ role }, index) =>
        role === undefined
          ? [missing(`/disk/partitions/${index}/role`, 'undeterminable', 'Its mount point could not be told.')]
          : [],
      )
      const facts = stated({ ...disk, partitions, firstPartition: first.facts })
      return { facts: { disk: facts }, missing: [...lost, ...first.missing] }
    }),
  ])
}
