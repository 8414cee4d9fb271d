const mostNameBytes = 512
const companyKey = Buffer.from('CompanyName\0', 'utf16le')

/** CompanyName of a program's version resource; undefined when it has none. */
function companyOf(program: Buffer): string | undefined {
  const key = program.indexOf(companyKey)
  if (key < 0) return undefined
  let start = key + companyKey.length
  while (start < program.length && start < key + companyKey.length + 4 && program[start] === 0) start += 2
  const text = program.subarray(start, start + mostNameBytes).toString('utf16le')
  const end = text.indexOf('\0')
  return end > 0 ? text.slice(0, end) : undefined
}

/** The readable text of the certificates that a program carries; undefined when it is not signed within itself. */
function certificateText(program: Buffer): string | undefined {
  if (program.length < 0x40) return undefined
  const header = program.readUInt32LE(0x3c)
  if (header + 24 + 2 > program.length || program.toString('latin1', header, header + 4) !== 'PE\0\0') return undefined
  const optional = header + 24
  const directories = optional + (program.readUInt16LE(optional) === 0x20b ? 112 : 96)
  const security = directories + 4 * 8
  if (security + 8 > program.length) return undefined
  const start = program.readUInt32LE(security)
  const end = start + program.readUInt32LE(security + 4)
  if (start === 0 || start >= end || end > program.length) return undefined
  return program.toString('latin1', start, end).replaceAll('\0', '')
}

const isAlibaba = (text: string): boolean => /alibaba|aliyun/i.test(text)
const isRedHat = (text: string): boolean => /red ?hat/i.test(text)

/** Who signed or provides a driver. */
export type Publisher = 'alibaba' | 'red-hat' | 'other'

/**
 * Tells a driver's publisher from the names in the certificates that it carries and from CompanyName of its version resource. A heuristic: signatures
 * are not verified, and builds of the community often keep Red Hat's CompanyName, so that counts only for a driver that carries no
 * signature (its catalog does) or Microsoft's for hardware. Undefined when it stays undecided.
 */
export function publisherOf(driver: Buffer): Publisher | undefined {
  const company = companyOf(driver)
  const signer = certificateText(driver)
  if (isAlibaba(signer ?? '') || isAlibaba(company ?? '')) return 'alibaba'
  if (isRedHat(signer ?? '')) return 'red-hat'
  if (company === undefined) return undefined
  if (!isRedHat(company)) return 'other'
  return signer === undefined || signer.includes('Windows Hardware Compatibility') ? 'red-hat' : undefined
}
