/** What a driver file says of its makers. */
export interface DriverMakers {
  /** CompanyName of the version resource. */
  readonly company?: string
  /** A name in the certificates that the file carries. */
  readonly signer?: string
}

const peAt = 0x80
const securityAt = peAt + 24 + 112 + 4 * 8

/** A 64-bit PE file with no code: headers, the strings of a version resource, and a certificate table. */
export function driverFile({ company, signer }: DriverMakers = {}): Buffer {
  const headers = Buffer.alloc(0x200)
  headers.write('MZ', 0, 'latin1')
  headers.writeUInt32LE(peAt, 0x3c)
  headers.write('PE\0\0', peAt, 'latin1')
  headers.writeUInt16LE(0x20b, peAt + 24)
  const resource =
    company === undefined
      ? Buffer.alloc(0)
      : Buffer.from(`StringFileInfo\0CompanyName\0\0${company}\0FileVersion\0`, 'utf16le')
  const certificates = signer === undefined ? Buffer.alloc(0) : Buffer.from(`\x30\x82${signer}\x30`, 'latin1')
  if (certificates.length > 0) {
    headers.writeUInt32LE(headers.length + resource.length, securityAt)
    headers.writeUInt32LE(certificates.length, securityAt + 4)
  }
  return Buffer.concat([headers, resource, certificates])
}
