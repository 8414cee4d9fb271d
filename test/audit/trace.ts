/** One system call of a trace: it began at line `start` and ended at line `end`. */
interface Call {
  readonly name: string
  readonly args: string
  readonly start: number
  readonly end: number
  /** What it returned: a number, or -1 and an error's name. */
  readonly result: string
}

/** The calls of `strace -f -y -o FILE` in the order of their start; those cut in two by another thread are joined. */
export function parseTrace(text: string): readonly Call[] {
  const calls: Call[] = []
  const unfinished = new Map<string, { name: string; args: string; start: number }>()
  for (const [line, content] of text.split('\n').entries()) {
    const begun = /^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$/.exec(content)
    if (begun) {
      const [, thread = '', name = '', args = ''] = begun
      unfinished.set(`${thread} ${name}`, { name, args, start: line })
      continue
    }
    const resumed = /^(\d+) +<\.\.\. (\w+) resumed>.*\) += (.*)$/.exec(content)
    const [, thread, name, result = ''] = resumed ?? []
    const half = unfinished.get(`${thread} ${name}`)
    if (half) calls.push({ ...half, end: line, result })
    const whole = /^\d+ +(\w+)\((.*)\) += (.*)$/.exec(content)
    if (whole) {
      const [, name = '', args = '', result = ''] = whole
      calls.push({ name, args, start: line, end: line, result })
    }
  }
  return calls.sort((one, other) => one.start - other.start)
}

/**
 * What lies between the last write to the log and the acknowledgement: `synced` when a sync of the log began after that
 * write had ended and returned 0 before the acknowledgement was written. Throws when the trace holds no such write.
 */
export function verdictOfTrace(text: string): 'synced' | 'not synced' {
  const calls = parseTrace(text)
  const said = (what: string) => calls.find(({ name, args }) => name === 'write' && args.includes(`"${what}`))
  const ready = said('ready')
  const acknowledged = said('ack ')
  if (!ready || !acknowledged) throw new Error('The trace holds no acknowledgement.')
  const onLog = calls.filter(
    ({ args, start }) => /^\d+<[^>]*-wal>/.test(args) && start > ready.start && start < acknowledged.start,
  )
  const lastWrite = onLog.filter(({ name }) => name.startsWith('pwrite')).at(-1)
  if (!lastWrite) throw new Error('The trace holds no write to the log.')
  const synced = onLog.some(
    ({ name, start, end, result }) =>
      (name === 'fsync' || name === 'fdatasync') &&
      start > lastWrite.end &&
      end < acknowledged.start &&
      result.startsWith('0'),
  )
  return synced ? 'synced' : 'not synced'
}
