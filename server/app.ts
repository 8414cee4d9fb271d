import { randomUUID } from 'node:crypto'
import fastify, { type FastifyInstance, LogController } from 'fastify'
import { guard } from './http/access.ts'
import { batchRoutes } from './http/batch.ts'
import { candidateRoutes } from './http/candidate.ts'
import { changeRoutes } from './http/changes.ts'
import { answerClientError } from './http/client-errors.ts'
import type { Deps } from './http/deps.ts'
import { errorCodeRoutes } from './http/error-codes.ts'
import { answerError, handleErrors } from './http/error-handler.ts'
import { evaluationRoutes } from './http/evaluations.ts'
import { healthRoutes } from './http/health.ts'
import { listRoutes } from './http/list.ts'
import { measured, metricsRoute, observePolicies } from './http/metrics.ts'
import { observeChain } from './http/metrics-chain.ts'
import { describeRoutes, openapiRoutes } from './http/openapi.ts'
import { policyRoutes } from './http/policies.ts'
import { proofRoutes } from './http/proofs.ts'
import { protect } from './http/protection.ts'
import { rateLimits } from './http/rate-limits.ts'
import { readRoutes } from './http/reads.ts'
import { recordReads } from './http/recorded-reads.ts'
import { logRequests } from './http/request-log.ts'
import { recordRoutes } from './http/route-table.ts'
import { schemaRoutes } from './http/schemas.ts'
import { secureServers } from './http/secure-server.ts'
import { statisticsRoutes } from './http/statistics.ts'
import { timelineRoutes } from './http/timeline.ts'
import { validateParts } from './http/validation.ts'
import { verdictRoutes } from './http/verdicts.ts'

/** Request line and headers together, in bytes. */
const maxHeaderBytes = 16_384

const http = { maxHeaderSize: maxHeaderBytes, headersTimeout: 15_000, connectionsCheckingInterval: 5_000 }
const keepAliveTimeout = 65_000

function bare({ logger, tls, limits }: Pick<Deps, 'logger' | 'tls' | 'limits'>): FastifyInstance {
  return fastify({
    ...(tls && { serverFactory: secureServers(tls, { ...http, requestTimeout: 0, keepAliveTimeout }) }),
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: () => randomUUID(),
    http,
    trustProxy: limits.trustedProxies.length > 0 && [...limits.trustedProxies],
    // A batch may take hours: bodies have their own limits in time, in http/bodies.ts and http/timely.ts.
    requestTimeout: 0,
    keepAliveTimeout,
    // Closing is told as a problem by the error handler.
    return503OnClosing: false,
    routerOptions: { maxParamLength: maxHeaderBytes },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, logger),
    frameworkErrors: (error, request, reply) => {
      answerError(error, request, reply)
      request.log.info({ method: request.method, route: null, status: reply.statusCode }, 'request')
    },
  })
}

/** Builds the HTTP application without listening. Closing it does not close the store. */
export async function buildApp(given: Omit<Deps, 'recording'>): Promise<FastifyInstance> {
  const deps = { ...given, recording: measured(given.store, given.metrics) }
  observePolicies(deps.metrics, deps.policies)
  observeChain(deps.metrics, deps)
  const app = bare(deps)
  logRequests(app, deps)
  await protect(app, deps)
  guard(app, deps.authenticate, await rateLimits(app, deps.limits, deps.store))
  handleErrors(app, deps, recordRoutes(app))
  validateParts(app)
  recordReads(app, deps)
  await describeRoutes(app)
  await app.register(async (scope) => evaluationRoutes(scope, deps))
  await app.register(async (scope) => batchRoutes(scope, deps))
  await app.register(async (scope) => {
    listRoutes(scope, deps)
    timelineRoutes(scope, deps)
    changeRoutes(scope, deps)
    statisticsRoutes(scope, deps)
    verdictRoutes(scope, deps)
    proofRoutes(scope, deps)
    readRoutes(scope, deps)
    policyRoutes(scope, deps)
    candidateRoutes(scope, deps)
    schemaRoutes(scope)
    errorCodeRoutes(scope)
    healthRoutes(scope, deps)
    metricsRoute(scope, deps.metrics)
  })
  await openapiRoutes(app)
  await app.ready()
  return app
}
