import type { FastifyReply, FastifyRequest } from 'fastify'

/** Cached for a year and never asked for again: for what cannot change. */
export const immutable = 'max-age=31536000, immutable'

/** A strong entity tag. */
export function entityTag(digest: string): string {
  return `"${digest}"`
}

/** Value of Repr-Digest (RFC 9530) for a `sha256:<hex>` of the bytes that are answered. */
export function reprDigest(digest: string): string {
  return `sha-256=:${Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64')}:`
}

/** True when the caller has this representation already, by If-None-Match. */
function isKnown(request: FastifyRequest, tag: string): boolean {
  const known = request.headers['if-none-match']
  if (known === undefined) return false
  const tags = known.split(',').map((one) => one.trim().replace(/^W\//, ''))
  return tags.includes('*') || tags.includes(tag)
}

/** Answers a text under its entity tag: 304 when the caller has it. Its media type is set before. */
export function sendTagged(request: FastifyRequest, reply: FastifyReply, text: string, tag: string): FastifyReply {
  reply.header('etag', tag)
  return isKnown(request, tag) ? reply.code(304).send() : reply.send(text)
}
