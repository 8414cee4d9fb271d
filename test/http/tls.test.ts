import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync } from 'node:fs'
import { Agent, get as httpsGet } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type SecureVersion } from 'node:tls'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' })
}

const absent = (() => {
  try {
    openssl('version')
    return false
  } catch {
    return 'openssl is not there: install Debian’s package openssl'
  }
})()

/** A certificate for loopback and its key, signed by itself or by a CA. */
function certificate(folder: string, name: string, ca?: string): void {
  const [key, file] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)]
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-subj', `/CN=${name}`]
  const signer = ca === undefined ? [] : ['-CA', join(folder, `${ca}.pem`), '-CAkey', join(folder, `${ca}.key`)]
  const pair = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', file]
  openssl('req', '-x509', '-days', '2', ...pair, ...names, ...signer)
}

async function serve(t: Test, environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(new URL('serve.ts', import.meta.url))], {
    env: { ...process.env, IMAGEGATE_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const log: Record<string, unknown>[] = []
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${JSON.stringify(log)}`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const parsed = JSON.parse(line)
      log.push(parsed)
      if (typeof parsed.url === 'string') resolve(parsed.url)
    })
  })
  child.removeAllListeners('exit')
  return { child, log, url, port: Number(new URL(url).port) }
}

interface Client {
  readonly ca: string
  readonly cert?: string
  readonly key?: string
}

/** Status, headers and the server's certificate, over a connection of its own. */
async function get(url: string, client: Client) {
  const files = Object.fromEntries(Object.entries(client).map(([name, file]) => [name, readFileSync(file)]))
  const request = httpsGet(url, { ...files, agent: new Agent({ keepAlive: false }) })
  const [response] = await once(request, 'response')
  const subject: unknown = response.socket.getPeerCertificate().subject.CN
  response.resume()
  await once(response, 'end')
  return { status: response.statusCode, headers: response.headers, subject }
}

t.test(
  'with a certificate the service speaks TLS 1.2 and later alone, and a SIGHUP changes the certificate',
  { skip: absent },
  async (t) => {
    const folder = t.testdir()
    for (const name of ['one', 'two']) certificate(folder, name)
    const file = (name: string) => join(folder, name)
    for (const ending of ['pem', 'key']) copyFileSync(file(`one.${ending}`), file(`used.${ending}`))
    const { child, log, url, port } = await serve(t, {
      IMAGEGATE_DATABASE_URL: file('imagegate.db'),
      IMAGEGATE_TLS_CERTIFICATE: file('used.pem'),
      IMAGEGATE_TLS_KEY: file('used.key'),
    })
    t.match(url, /^https:/)
    const first = await get(`${url}/health/ready`, { ca: file('one.pem') })
    t.match(first, { status: 200, subject: 'one' })
    t.match(first.headers['strict-transport-security'], 'max-age=31536000')
    await t.rejects(get(url, { ca: file('two.pem') }), 'another certificate is not believed')

    const speaks = async (version: SecureVersion) => {
      const socket = connect({
        port,
        host: '127.0.0.1',
        minVersion: version,
        maxVersion: version,
        ca: readFileSync(file('one.pem')),
        ciphers: 'DEFAULT@SECLEVEL=0',
      })
      const spoken = await new Promise<boolean>((resolve) => {
        socket.once('secureConnect', () => resolve(true))
        socket.once('error', () => resolve(false))
      })
      socket.destroy()
      return spoken
    }
    t.same([await speaks('TLSv1.1'), await speaks('TLSv1.2'), await speaks('TLSv1.3')], [false, true, true])
    const plain = connectPlain(port, '127.0.0.1')
    plain.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n')
    let answered = ''
    plain.on('data', (chunk) => {
      answered += chunk
    })
    plain.on('error', () => undefined)
    await once(plain, 'close')
    t.notMatch(answered, 'HTTP/', 'plain HTTP is not answered')

    for (const ending of ['pem', 'key']) copyFileSync(file(`two.${ending}`), file(`used.${ending}`))
    child.kill('SIGHUP')
    for (let tries = 0; tries < 100 && !log.some(({ msg }) => msg === 'certificate read again'); tries += 1)
      await sleep(50)
    t.match(await get(`${url}/health/ready`, { ca: file('two.pem') }), { status: 200, subject: 'two' })
    copyFileSync(file('one.key'), file('used.key'))
    child.kill('SIGHUP')
    for (let tries = 0; tries < 100 && !log.some(({ code }) => code === 'TLS_INVALID'); tries += 1) await sleep(50)
    t.match(
      await get(`${url}/health/ready`, { ca: file('two.pem') }),
      { status: 200, subject: 'two' },
      'the last good one stays',
    )
    child.kill('SIGTERM')
    t.same(await once(child, 'exit'), [0, null])
  },
)

t.test('with a CA for clients only those with a certificate of it get in', { skip: absent }, async (t) => {
  const folder = t.testdir()
  const file = (name: string) => join(folder, name)
  for (const name of ['server', 'ca', 'stranger']) certificate(folder, name)
  certificate(folder, 'client', 'ca')
  const { child, log, url } = await serve(t, {
    IMAGEGATE_DATABASE_URL: file('imagegate.db'),
    IMAGEGATE_TLS_CERTIFICATE: file('server.pem'),
    IMAGEGATE_TLS_KEY: file('server.key'),
    IMAGEGATE_TLS_CLIENT_CA: file('ca.pem'),
    IMAGEGATE_HEALTH_PORT: '0',
  })
  const address = `${url}/health/live`
  const ca = file('server.pem')
  t.equal((await get(address, { ca, cert: file('client.pem'), key: file('client.key') })).status, 200)
  await t.rejects(get(address, { ca }))
  await t.rejects(get(address, { ca, cert: file('stranger.pem'), key: file('stranger.key') }))
  t.equal((await get(address, { ca, cert: file('client.pem'), key: file('client.key') })).status, 200)

  const health = `http://127.0.0.1:${log.find((line) => typeof line['health'] === 'number')?.['health']}`
  t.match(await (await fetch(`${health}/health/live`)).json(), { status: 'live' }, 'probes need no certificate')
  t.match(await (await fetch(`${health}/health/ready`)).json(), { status: 'ready' })
  for (const path of [
    '/',
    '/v1/verdicts',
    '/metrics',
    '/health',
    '/health/ready/../../v1/policies',
    '/health/live?x',
  ]) {
    t.equal((await fetch(`${health}${path}`)).status, 404, `${path} is not there`)
  }
  child.kill('SIGTERM')
  t.same(await once(child, 'exit'), [0, null])
  await t.rejects(fetch(`${health}/health/live`), 'it closes with the service')
})

t.test(
  'a certificate that is not there or does not fit its key keeps the service from starting',
  { skip: absent },
  async (t) => {
    const folder = t.testdir()
    const file = (name: string) => join(folder, name)
    for (const name of ['one', 'two']) certificate(folder, name)
    const start = (cert: string, key: string) =>
      serve(t, {
        IMAGEGATE_DATABASE_URL: file('x.db'),
        IMAGEGATE_TLS_CERTIFICATE: file(cert),
        IMAGEGATE_TLS_KEY: file(key),
      })
    await t.rejects(start('one.pem', 'two.key'), /ended with 1/)
    await t.rejects(start('none.pem', 'one.key'), /ended with 1/)
  },
)
