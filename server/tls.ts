import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { ImagegateError } from './errors.ts'

/** Files that the service takes TLS from, in PEM. */
export interface TlsFiles {
  /** The certificate, followed by those between it and the root. */
  readonly certificate: string
  readonly key: string
  /** Whose certificates clients must have; anybody may connect where there is none. */
  readonly clientCa?: string
}

/** What the files hold. */
export interface TlsMaterial {
  readonly cert: Buffer
  readonly key: Buffer
  readonly ca?: Buffer
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new ImagegateError('FILE_UNREADABLE', `${file} cannot be read.`, { cause })
  }
}

/** Reads the files and sees that they fit together. Throws FILE_UNREADABLE or TLS_INVALID. */
export function readTls({ certificate, key, clientCa }: TlsFiles): TlsMaterial {
  const material = { cert: read(certificate), key: read(key), ...(clientCa !== undefined && { ca: read(clientCa) }) }
  try {
    createSecureContext(material)
    return material
  } catch (cause) {
    throw new ImagegateError('TLS_INVALID', `${certificate} and its key cannot be used together.`, { cause })
  }
}
