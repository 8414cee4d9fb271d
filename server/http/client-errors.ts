import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { FastifyBaseLogger } from 'fastify'
import { errorKinds, ImagegateError } from '../errors.ts'
import { problemOf, problemType } from './problems.ts'

function errorFor(code: string | undefined): ImagegateError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ImagegateError('HEADERS_TOO_LARGE', 'The request line and headers are above their limit.')
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ImagegateError('REQUEST_TIMEOUT', 'The headers did not arrive in time.')
  }
  return new ImagegateError('REQUEST_MALFORMED', 'What arrived is not HTTP/1.1.')
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}

/** Answers what is not even a request, and closes the connection. */
export function answerClientError(error: { readonly code?: string }, socket: Socket, logger: FastifyBaseLogger): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  // A handshake that failed leaves nobody to answer to.
  if (socket instanceof TLSSocket && !/^(HPE_|ERR_HTTP_)/.test(error.code ?? '')) {
    socket.destroy()
    return
  }
  const id = randomUUID()
  const shown = errorFor(error.code)
  const { status } = errorKinds[shown.code]
  logger.info({ requestId: id, method: null, route: null, status, code: shown.code }, 'request')
  const body = JSON.stringify(problemOf(shown, id))
  const head = [
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}`,
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ]
  // Into the middle of an answer that is being sent, nothing can be written.
  if (socket.writable && socket.bytesWritten === 0) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.destroySoon()
}
