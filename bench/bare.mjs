// The baseline of http.mjs: a Fastify route that parses the body and answers the bytes of a file.
import { readFileSync } from 'node:fs'
import { fastify } from 'fastify'

const verdict = readFileSync(process.argv[2])
const app = fastify({ logger: false })
app.post('/v1/evaluations', (_request, reply) => {
  reply.code(201).header('content-type', 'application/json; charset=utf-8').send(verdict)
})
process.on('SIGTERM', () => app.close())
console.log(await app.listen({ host: '127.0.0.1', port: 0 }))
