import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { type Cluster, freePort, queryAt } from './postgres.ts'

/** Why tests behind a load balancer are skipped, or false. */
export const noHaproxy = spawnSync('haproxy', ['-v']).status === 0 ? false : 'haproxy is not installed'

/** A load balancer before the service's replicas, and an address that leads to whichever database server is the primary. */
export interface Balancer {
  readonly url: string
  readonly databasePort: number
}

/**
 * What a failover manager's agent beside each server answers (Patroni: GET /primary): 200 for the primary alone.
 * Gives the agent's port.
 */
async function agentBeside(t: Test, cluster: Cluster): Promise<number> {
  const agent = createServer((_request, response) => {
    queryAt(cluster.superuser(), 'SELECT pg_is_in_recovery() AS standby').then(
      ([row]) => response.writeHead(row?.['standby'] === false ? 200 : 503).end(),
      () => response.writeHead(503).end(),
    )
  }).listen(0, '127.0.0.1')
  await once(agent, 'listening')
  t.teardown(() => agent.close())
  const address = agent.address()
  if (typeof address !== 'object' || address === null) throw new Error('The agent does not listen.')
  return address.port
}

/** Starts haproxy before replicas at these ports and before database servers; stopped at the test's end. */
export async function startBalancer(
  t: Test,
  replicas: readonly number[],
  clusters: readonly Cluster[],
): Promise<Balancer> {
  const [port, databasePort, agents] = [
    await freePort(),
    await freePort(),
    await Promise.all(clusters.map((cluster) => agentBeside(t, cluster))),
  ]
  const lines = [
    'global',
    '  maxconn 2000',
    'defaults',
    '  timeout connect 2s',
    '  timeout client 60s',
    '  timeout server 60s',
    '  retries 2',
    '  option redispatch',
    '  default-server check inter 500ms fall 2 rise 1',
    'listen imagegate',
    '  mode http',
    `  bind 127.0.0.1:${port}`,
    '  balance leastconn',
    '  option httpchk',
    // A service that listens on loopback alone answers nobody who does not name it so.
    '  http-check send meth GET uri /health/ready ver HTTP/1.1 hdr Host 127.0.0.1',
    ...replicas.map((replica, index) => `  server replica${index} 127.0.0.1:${replica}`),
    'listen database',
    '  mode tcp',
    `  bind 127.0.0.1:${databasePort}`,
    '  option httpchk GET /primary',
    // A session with a server that is no longer the primary must end, or its commits would go nowhere.
    '  default-server on-marked-down shutdown-sessions',
    ...clusters.map((cluster, index) => `  server node${index} 127.0.0.1:${cluster.port} port ${agents[index]}`),
  ]
  const file = join(t.testdir(), 'haproxy.cfg')
  writeFileSync(file, `${lines.join('\n')}\n`)
  const child = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  t.teardown(() => child.kill('SIGKILL'))
  await sleep(300)
  if (child.exitCode !== null) throw new Error(`haproxy ended: ${said}`)
  return { url: `http://127.0.0.1:${port}`, databasePort }
}
