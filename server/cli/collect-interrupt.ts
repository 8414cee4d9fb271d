const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Told when the process is asked to stop; programs that read an image are then ended and their folders removed first. */
export async function interruptible<T>(use: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const stop = (name: NodeJS.Signals) => controller.abort(new Error(name))
  for (const name of signals) process.once(name, stop)
  try {
    return await use(controller.signal)
  } finally {
    for (const name of signals) process.off(name, stop)
  }
}
