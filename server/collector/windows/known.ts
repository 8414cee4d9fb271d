/** The members of T that are known; one that is not is left out. */
export type Known<T> = { [K in keyof T]?: NonNullable<T[K]> }

/** Leaves out the members that are undefined, and gives undefined when nothing is left: an empty section says nothing. */
export function known<T extends object>(members: T): Known<T> | undefined {
  const result: Known<T> = {}
  let some = false
  for (const name in members) {
    const value = members[name]
    if (value === undefined || value === null) continue
    result[name] = value
    some = true
  }
  return some ? result : undefined
}
