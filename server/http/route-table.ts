import type { FastifyInstance } from 'fastify'

/** Which methods each address has, for the Allow header. */
export interface RouteTable {
  /** Sorted; empty for an address that has none. */
  methodsAt(url: string): string[]
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function fits(pattern: readonly string[], path: readonly string[]): boolean {
  if (pattern.at(-1) === '*') {
    return path.length >= pattern.length && pattern.slice(0, -1).every((segment, index) => segment === path[index])
  }
  if (pattern.length !== path.length) return false
  return pattern.every((segment, index) => segment.startsWith(':') || segment === path[index])
}

/** Records every route that is registered after this call. */
export function recordRoutes(app: FastifyInstance): RouteTable {
  const routes = new Map<string, { pattern: string[]; methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const known = routes.get(url) ?? { pattern: url.split('/'), methods: new Set<string>() }
    for (const name of [method].flat()) known.methods.add(name)
    routes.set(url, known)
  })
  return {
    methodsAt(url) {
      const [path = ''] = url.split('?', 1)
      const segments = path.split('/').map(decoded)
      const fitting = [...routes.values()].filter(({ pattern }) => fits(pattern, segments))
      return [...new Set(fitting.flatMap(({ methods }) => [...methods]))].sort()
    },
  }
}
