// Throughput, latency and CPU time a request over loopback HTTP: imagegate with and without storage beside a bare
// Fastify route that parses the same body and answers the same verdict. Rounds are interleaved, medians reported.
// Needs a build (npm run build) and wrk. Usage: node bench/http.mjs [--seconds 5] [--rounds 3] [--connections 64]
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
  },
})
const top = fileURLToPath(new URL('../', import.meta.url))
const example = join(top, 'examples/linux/ready.json')
const body = JSON.stringify(JSON.parse(readFileSync(example, 'utf8')))
const scratch = mkdtempSync(join(tmpdir(), 'imagegate-bench-'))

/** Starts a server and resolves with its URL, which it prints on standard error or output. */
function startServer(name, args, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: top,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Promise((resolve, reject) => {
    let seen = ''
    const look = (chunk) => {
      seen += chunk
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(seen)?.[0]
      if (url !== undefined) resolve({ name, child, url })
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.on('exit', (code) => reject(new Error(`${name} ended with ${code}: ${seen}`)))
  })
}

/** CPU seconds of a process and its threads so far (Linux: ticks of 10 ms). */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const guarded = join(scratch, 'guarded.db')
const created = spawnSync(
  process.execPath,
  ['dist/main.js', 'keys', 'create', '--role', 'admin', '--name', 'bench', '--database', guarded],
  { cwd: top, encoding: 'utf8' },
)
if (created.status !== 0) throw new Error(created.stderr)

const script = join(scratch, 'post.lua')
writeFileSync(
  script,
  `wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer ${created.stdout.trim()}"
wrk.body = [==[${body}]==]
done = function(summary, latency)
  io.write(string.format("RESULT %d %d %f %f %f %f\\n", summary.requests, summary.errors.status + summary.errors.read +
    summary.errors.write + summary.errors.timeout, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
`,
)

function load({ child, url }, path, seconds) {
  const before = cpuSeconds(child.pid)
  const args = [
    '-t1',
    `-c${values.connections}`,
    `-d${seconds}s`,
    '--timeout',
    '20s',
    '--latency',
    '-s',
    script,
    `${url}${path}`,
  ]
  const run = spawnSync('wrk', args, { encoding: 'utf8' })
  const [, requests, errors, duration, p50, p95, p99] = (/RESULT (.*)/.exec(run.stdout)?.[0] ?? '')
    .split(' ')
    .map(Number)
  if (!requests || errors > 0) throw new Error(`wrk: ${errors} errors\n${run.stdout}${run.stderr}`)
  return { rate: requests / duration, p50, p95, p99, cpu: ((cpuSeconds(child.pid) - before) / requests) * 1e6 }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

const servers = []
try {
  const service = await startServer('imagegate', ['dist/main.js', 'serve'], {
    IMAGEGATE_PORT: '0',
    IMAGEGATE_DATABASE_URL: `file:${join(scratch, 'bench.db')}`,
    IMAGEGATE_MAX_DELAY_MS: '0',
  })
  servers.push(service)
  const asking = await startServer('imagegate', ['dist/main.js', 'serve'], {
    IMAGEGATE_PORT: '0',
    IMAGEGATE_DATABASE_URL: guarded,
    IMAGEGATE_MAX_DELAY_MS: '0',
    IMAGEGATE_AUTHENTICATION: 'required',
    IMAGEGATE_RATE_LIMIT: '999999',
  })
  servers.push(asking)
  const dry = await fetch(`${service.url}/v1/evaluations?record=false`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
  const answer = join(scratch, 'verdict.json')
  writeFileSync(answer, await dry.text())
  const bare = await startServer('bare', ['bench/bare.mjs', answer])
  servers.push(bare)
  const subjects = [
    ['bare Fastify route', bare, '/v1/evaluations'],
    ['imagegate, dry run', service, '/v1/evaluations?record=false'],
    ['imagegate, dry run, API key', asking, '/v1/evaluations?record=false'],
    ['imagegate, recorded durably', service, '/v1/evaluations'],
    ['imagegate, recorded durably, API key', asking, '/v1/evaluations'],
  ]
  for (const [, server, path] of subjects) load(server, path, 2)
  const rounds = new Map(subjects.map(([name]) => [name, []]))
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const [name, server, path] of subjects) rounds.get(name).push(load(server, path, values.seconds))
  }
  const pick = (name, key) => median(rounds.get(name).map((one) => one[key]))
  console.log(
    `${body.length}-byte document, ${values.connections} connections, median of ${values.rounds} rounds of ${values.seconds} s; Node ${process.version}\n`,
  )
  console.log(
    '| route | requests/s | of bare | p50 ms | p95 ms | p99 ms | CPU µs a request |\n|---|---|---|---|---|---|---|',
  )
  const base = pick(subjects[0][0], 'rate')
  for (const [name] of subjects) {
    const [rate, p50, p95, p99, cpu] = ['rate', 'p50', 'p95', 'p99', 'cpu'].map((key) => pick(name, key))
    console.log(
      `| ${name} | ${Math.round(rate)} | ${(rate / base).toFixed(2)} | ${p50.toFixed(1)} | ${p95.toFixed(1)} | ${p99.toFixed(1)} | ${Math.round(cpu)} |`,
    )
  }
} finally {
  for (const { child } of servers) {
    child.removeAllListeners('exit')
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('exit', resolve))
  }
  rmSync(scratch, { recursive: true })
}
