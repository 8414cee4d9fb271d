import { once } from 'node:events'
import { createServer } from 'node:http'
import type { FastifyInstance } from 'fastify'

const paths = ['/health/live', '/health/ready']

/** More than probes need, and too few to be of use to anybody else. */
const bounds = { connections: 32, headerBytes: 4096, requestMs: 5000 }

/**
 * Answers an application's health alone, over plain HTTP, at a port of its own: probes have no certificate of a client.
 * Closes with the application, which listens already. Gives the port; rejects with the system's error when it is taken.
 */
export async function listenForHealth(app: FastifyInstance, host: string, port: number): Promise<number> {
  const server = createServer(
    { maxHeaderSize: bounds.headerBytes, requestTimeout: bounds.requestMs, headersTimeout: bounds.requestMs },
    (request, response) => {
      if (paths.includes(request.url ?? '')) app.routing(request, response)
      else response.writeHead(404, { connection: 'close' }).end()
    },
  )
  server.maxConnections = bounds.connections
  server.listen(port, host)
  await once(server, 'listening')
  app.server.once('close', () => {
    server.close()
    server.closeAllConnections()
  })
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : port
}
