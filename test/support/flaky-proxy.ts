import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A connection to a server that can be disturbed. */
export interface FlakyProxy {
  readonly port: number
  /** Cuts the next connection that sends such bytes right after they were passed on, before anything comes back. */
  cutAfter(bytes: string): void
  /** From now on nothing passes in either direction, and nothing is closed either. */
  hold(): void
  /** Everything passes again, over new connections; those that were held are closed. */
  release(): void
  /** Closes every connection. */
  cutAll(): void
}

/** A TCP proxy in front of a port of this machine. */
export async function flakyProxy(t: Test, port: number): Promise<FlakyProxy> {
  const sockets = new Set<Socket>()
  let cutting: string | undefined
  let held = false
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (chunk) => {
      if (held) return
      const cut = cutting !== undefined && chunk.includes(cutting)
      upstream.write(chunk, () => {
        if (cut) client.destroy()
      })
      if (!cut) return
      cutting = undefined
      upstream.removeAllListeners('data')
      upstream.resume()
      // The server must have read it before it is told that the client is gone.
      upstream.removeAllListeners('close')
      client.removeAllListeners('close')
      setTimeout(() => upstream.destroy(), 500)
    })
    upstream.on('data', (chunk) => {
      if (!held) client.write(chunk)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cutAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  t.teardown(() => {
    server.close()
    cutAll()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('The proxy does not listen.')
  return {
    port: address.port,
    cutAfter(bytes) {
      cutting = bytes
    },
    hold() {
      held = true
    },
    release() {
      held = false
      cutAll()
    },
    cutAll,
  }
}
