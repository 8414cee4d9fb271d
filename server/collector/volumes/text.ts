/** The whole number behind a label in a program's answer, the first time it stands there; undefined when it does not. */
export function numberAfter(text: string, pattern: RegExp): number | undefined {
  const value = Number(pattern.exec(text)?.[1] ?? Number.NaN)
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** Feature names as the fact document takes them: without repetition, nothing that a program would not print. */
export function featureNames(text: string, separator: RegExp): string[] {
  const names = text.split(separator).filter((name) => /^[A-Za-z0-9_.+-]{1,64}$/.test(name))
  return [...new Set(names)].slice(0, 128)
}
