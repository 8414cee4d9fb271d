import type { RequestListener, ServerOptions } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { TlsMaterial } from '../tls.ts'

/** Makes servers that speak TLS 1.2 or later alone, and with a CA for clients only to those who show a certificate of it. */
export function secureServers(material: TlsMaterial, http: ServerOptions) {
  return (handler: RequestListener): Server => {
    const secure = {
      ...material,
      minVersion: 'TLSv1.2' as const,
      handshakeTimeout: 10_000,
      requestCert: material.ca !== undefined,
      rejectUnauthorized: material.ca !== undefined,
    }
    return createServer({ ...http, ...secure }, handler)
  }
}
