import type { Partition } from '../../documents/facts.ts'

type Role = NonNullable<Partition['role']>

/** Types whose partitions have one use, whatever the guest does. */
const roles: ReadonlyMap<string, Role> = new Map<string, Role>([
  ['ef', 'efi-system'],
  ['c12a7328-f81f-11d2-ba4b-00a0c93ec93b', 'efi-system'],
  ['21686148-6449-6e6f-744e-656564454649', 'bios-boot'],
  ['41', 'prep-boot'],
  ['9e1a2d38-c612-4316-aa26-8b49521e5a8b', 'prep-boot'],
  ['05', 'extended'],
  ['0f', 'extended'],
  ['85', 'extended'],
  ['83bd6b9d-7f41-11dc-be0b-001560b84f0f', 'freebsd-boot'],
  ['516e7cb5-6ecf-11d6-8ff8-00022d09712b', 'freebsd-swap'],
  ['e3c9e316-0b5c-4db8-817d-f92df00215ae', 'msr'],
])

/** The role that a partition has by itself: stated already, or told by its type. */
export function roleByType({ role, typeCode }: Partition): Role | undefined {
  return role ?? (typeCode === undefined ? undefined : roles.get(typeCode))
}
