import type { FastifyInstance } from 'fastify'
import { sha256 } from '../digest.ts'
import { ImagegateError } from '../errors.ts'
import { findVersion, inForce, type PolicySet, type ReleasedPolicy } from '../policy/set.ts'
import { prefersYaml } from './accept.ts'
import { answers } from './components.ts'
import { entityTag, immutable, reprDigest, sendTagged } from './conditional.ts'
import type { Deps } from './deps.ts'
import { component } from './schema-parts.ts'
import type { PartSchema } from './validation.ts'

const family = { description: 'A policy family.', type: 'string', examples: ['linux'] }
const version = { description: 'A semantic version.', type: 'string', examples: ['1.0.0'] }
const byFamily: PartSchema = { type: 'object', required: ['family'], properties: { family } }
const byVersion: PartSchema = { type: 'object', required: ['family', 'version'], properties: { family, version } }
const etag = { type: 'string', description: 'Digest of what is answered.' }

function route(operationId: string, summary: string, name: string, params?: PartSchema) {
  const response = answers({ 200: { description: summary, headers: { etag }, schema: component(name) } })
  const schema = { summary, tags: ['policies'], operationId, response, ...(params === undefined ? {} : { params }) }
  return { schema, config: { permission: 'any' } as const }
}

function entry(policies: PolicySet, now: Date, policy: ReleasedPolicy) {
  const { digest, effectiveFrom, withdrawn } = policy
  const { title } = policy.policy
  return {
    family: policy.family,
    version: policy.version,
    digest,
    effectiveFrom,
    title,
    inForce: inForce(policies, policy.family, now) === policy,
    ...(withdrawn === undefined ? {} : { withdrawn }),
    href: `/v1/policies/${policy.family}/${policy.version}`,
  }
}

function familyEntry(policies: PolicySet, now: Date, name: string) {
  const versions = policies.versions.filter((policy) => policy.family === name)
  return { family: name, versions: versions.map((policy) => entry(policies, now, policy)) }
}

function notFound(): ImagegateError {
  return new ImagegateError('POLICY_NOT_FOUND', 'No policy has this family and version.')
}

/** GET /v1/policies, /v1/policies/{family} and /v1/policies/{family}/{version} */
export function policyRoutes(app: FastifyInstance, { policies, now }: Deps): void {
  const all = route('listPolicies', 'All policies and their versions', 'PolicyFamilies')
  app.get('/v1/policies', all, async (request, reply) => {
    const { set } = policies.served
    const names = [...new Set(set.versions.map((policy) => policy.family))]
    const text = JSON.stringify({ families: names.map((name) => familyEntry(set, now(), name)) })
    reply.type('application/json; charset=utf-8').header('cache-control', 'no-cache')
    return sendTagged(request, reply, text, entityTag(sha256(text)))
  })

  const one = route('getPolicyFamily', 'The versions of one family', 'PolicyFamily', byFamily)
  app.get<{ Params: { family: string } }>('/v1/policies/:family', one, async (request, reply) => {
    const found = familyEntry(policies.served.set, now(), request.params.family)
    if (found.versions.length === 0) throw notFound()
    const text = JSON.stringify(found)
    reply.type('application/json; charset=utf-8').header('cache-control', 'no-cache')
    return sendTagged(request, reply, text, entityTag(sha256(text)))
  })

  const body = route('getPolicy', 'A policy: its file with Accept: application/yaml, else as JSON', 'Policy', byVersion)
  app.get<{ Params: { family: string; version: string } }>(
    '/v1/policies/:family/:version',
    body,
    async (request, reply) => {
      const found = findVersion(policies.served.set, request.params.family, request.params.version)
      if (found === undefined) throw notFound()
      reply.header('cache-control', `public, ${immutable}`).header('vary', 'Accept')
      if (prefersYaml(request.headers.accept)) {
        reply.type('application/yaml; charset=utf-8').header('repr-digest', reprDigest(found.digest))
        return sendTagged(request, reply, found.text, entityTag(found.digest))
      }
      // Another representation needs another tag, or a cache could take one for the other.
      reply.type('application/json; charset=utf-8')
      return sendTagged(request, reply, JSON.stringify(found.policy), entityTag(`${found.digest}+json`))
    },
  )
}
