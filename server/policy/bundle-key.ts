import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { sha256 } from '../digest.ts'
import { ImagegateError } from '../errors.ts'

function checked(read: () => KeyObject, file: string): KeyObject {
  let key: KeyObject
  try {
    key = read()
  } catch (cause) {
    throw new ImagegateError('KEY_INVALID', `${file} holds no such key in PEM, or it is encrypted.`, { cause })
  }
  if (key.asymmetricKeyType === 'ed25519') return key
  throw new ImagegateError('KEY_INVALID', `The key in ${file} is not an Ed25519 key.`)
}

/** A key that signs, from PEM; `file` names it in errors. Throws KEY_INVALID. */
export function privateKey(pem: string, file: string): KeyObject {
  return checked(() => createPrivateKey(pem), file)
}

/** A key that verifies, from PEM; a private key's public part will not do, because it need not lie where bundles are served. Throws KEY_INVALID. */
export function publicKey(pem: string, file: string): KeyObject {
  if (pem.includes('PRIVATE KEY')) {
    throw new ImagegateError('KEY_INVALID', `${file} holds a private key; give its public part alone.`)
  }
  return checked(() => createPublicKey(pem), file)
}

/** Names a key: SHA-256 of its public part (SubjectPublicKeyInfo, DER). */
export function keyName(key: KeyObject): string {
  const open = key.type === 'private' ? createPublicKey(key) : key
  return sha256(open.export({ type: 'spki', format: 'der' }))
}
