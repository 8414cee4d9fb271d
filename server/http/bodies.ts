import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ImagegateError } from '../errors.ts'
import { maxDocumentBytes } from '../facts/parse.ts'

function tooLarge(): ImagegateError {
  return new ImagegateError('BODY_TOO_LARGE', `At most ${maxDocumentBytes} bytes are read.`)
}

/** Compressed bodies are refused: what they unpack to has no bound. */
function refuseEncoding(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new ImagegateError('MEDIA_TYPE_UNSUPPORTED', 'The body may not have a Content-Encoding.')
  }
}

/** Collects a body of bounded size in bounded time. Rejects with BODY_TOO_LARGE, REQUEST_TIMEOUT or REQUEST_MALFORMED. */
function collect(payload: IncomingMessage, seconds: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const stop = (error?: ImagegateError) => {
      clearTimeout(timer)
      payload.off('data', take).off('end', end).off('close', cut)
      if (error === undefined) resolve(Buffer.concat(chunks, size))
      else reject(error)
    }
    const take = (chunk: Buffer) => {
      size += chunk.length
      if (size > maxDocumentBytes) stop(tooLarge())
      else chunks.push(chunk)
    }
    const end = () => stop()
    const cut = () => stop(new ImagegateError('REQUEST_MALFORMED', 'The connection ended before the body did.'))
    const late = () => stop(new ImagegateError('REQUEST_TIMEOUT', `The body took more than ${seconds} s.`))
    const timer = setTimeout(late, seconds * 1000)
    // An aborted request emits an error too, also after this body was given up; close tells enough.
    payload.on('data', take).on('end', end).on('close', cut).on('error', cut)
  })
}

/** Takes application/json as bytes, unparsed: facts are parsed by the one parser that keeps them as they are. */
export function takeJson(app: FastifyInstance, seconds: number): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', async (request: FastifyRequest, payload: IncomingMessage) => {
    refuseEncoding(request)
    if (Number(request.headers['content-length']) > maxDocumentBytes) throw tooLarge()
    return collect(payload, seconds)
  })
}

/** Takes application/x-ndjson as the stream that it is. */
export function takeLines(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-ndjson', async (request: FastifyRequest, payload: IncomingMessage) => {
    refuseEncoding(request)
    return payload
  })
}
