import type { Hive } from './hive.ts'
import { foldName } from './names.ts'
import { undecided } from './topic.ts'

/** Whether a service's start type is disabled; throws when there is no such service, or no start type that is known. */
export function serviceDisabled(system: Hive, name: string): boolean {
  const start = system.dword(`Services\\${name}`, 'Start')
  if (start === undefined) return undecided(`The service ${name} has no start type.`)
  if (start > 4) return undecided(`The start type of the service ${name} is not known.`)
  return start === 4
}

/** Names of all services and drivers, folded; throws when they cannot be read. */
export function serviceNames(system: Hive): ReadonlyMap<string, string> {
  const services = system.key('Services') ?? undecided('The hive SYSTEM has no key Services.')
  return new Map(services.subkeys.map((name) => [foldName(name), name]))
}
