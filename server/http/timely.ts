import type { Readable } from 'node:stream'
import { ImagegateError } from '../errors.ts'

/**
 * The chunks of a stream, each of which must arrive within a time once it is asked for; throws REQUEST_TIMEOUT.
 * Giving up leaves the stream open, so that an answer can still be sent on its socket.
 */
export async function* timely(stream: Readable, milliseconds: number): AsyncGenerator<Buffer, void, void> {
  const chunks = stream.iterator({ destroyOnReturn: false })
  const late = new ImagegateError('REQUEST_TIMEOUT', `Nothing arrived for ${milliseconds / 1000} s.`)
  for (;;) {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(late), milliseconds)
    })
    const next = chunks.next()
    next.catch(() => undefined)
    try {
      const { done, value } = await Promise.race([next, timeout])
      if (done === true) return
      yield value
    } finally {
      clearTimeout(timer)
    }
  }
}
