import { once } from 'node:events'
import { createServer } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.ts'

const paths = ['/health/live', '/health/ready']

/** More than probes need, and too few to be of use to anybody else. */
const bounds = { connections: 32, headerBytes: 4096, requestMs: 5000 }

/**
 * Answers an application's health alone, over plain HTTP, at a port of its own if there is one: probes have no certificate
 * of a client. Closes with the application, which listens already. Rejects with the system's error when the port is taken.
 */
export async function listenForHealth(
  app: FastifyInstance,
  { host, healthPort }: Pick<Config, 'host' | 'healthPort'>,
): Promise<{ readonly health?: number }> {
  if (healthPort === undefined) return {}
  const server = createServer(
    { maxHeaderSize: bounds.headerBytes, requestTimeout: bounds.requestMs, headersTimeout: bounds.requestMs },
    (request, response) => {
      if (paths.includes(request.url ?? '')) app.routing(request, response)
      else response.writeHead(404, { connection: 'close' }).end()
    },
  )
  server.maxConnections = bounds.connections
  server.listen(healthPort, host)
  await once(server, 'listening')
  app.server.once('close', () => {
    server.close()
    server.closeAllConnections()
  })
  const bound = server.address()
  return { health: typeof bound === 'object' && bound !== null ? bound.port : healthPort }
}
