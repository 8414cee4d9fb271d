import { readFileSync } from 'node:fs'
import { fastifySwagger } from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { sha256 } from '../digest.ts'
import { components } from './components.ts'
import { entityTag, sendTagged } from './conditional.ts'

const description = `Will this image import, and if not, what exactly must change? Post the facts of a virtual-machine image
and get a verdict that explains itself; the verdict is kept, and can be found, checked and repeated years later.
Errors are problems (RFC 9457) with a stable code; their type leads to what can be done about them.`

const tags = [
  { name: 'evaluation', description: 'Judging fact documents.' },
  { name: 'audit', description: 'Finding, checking and repeating verdicts.' },
  { name: 'policies', description: 'The rules, by family and version.' },
  { name: 'contracts', description: 'Schemas and error codes.' },
  { name: 'operation', description: 'Health and metrics.' },
]

/** With IMAGEGATE_AUTHENTICATION=none nobody has to show one. */
const bearer = {
  type: 'http',
  scheme: 'bearer',
  description: 'An API key of imagegate keys create, or a token (JWT) of the configured issuer.',
} as const

function packageVersion(): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  return version
}

/** What the browsable page may load: only what this server serves. Its own style needs inline styles. */
const pagePolicy = {
  'default-src': "'none'",
  'base-uri': "'none'",
  'connect-src': "'self'",
  'font-src': "'self' data:",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
  'img-src': "'self' data:",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
}

/** Describes every route that is registered after this call. */
export async function describeRoutes(app: FastifyInstance): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'imagegate',
        version: packageVersion(),
        description,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'This server.' }],
      tags,
      components: { schemas: components(), securitySchemes: { bearer } },
    },
    convertConstToEnum: false,
  })
}

/** GET /openapi.json, and the page at /docs that shows it and loads nothing from elsewhere. */
export async function openapiRoutes(app: FastifyInstance): Promise<void> {
  let text: string | undefined
  app.get('/openapi.json', { schema: { hide: true }, config: { permission: 'public' } }, async (request, reply) => {
    text ??= JSON.stringify(app.swagger())
    reply.type('application/json; charset=utf-8').header('cache-control', 'no-cache')
    return sendTagged(request, reply, text, entityTag(sha256(text)))
  })
  await app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    staticCSP: pagePolicy,
    validatorUrl: false,
    theme: { title: 'imagegate API' },
    uiConfig: { docExpansion: 'list', deepLinking: true, tryItOutEnabled: true },
  })
}
