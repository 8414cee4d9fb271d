import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { configurationTable, withTable } from '../scripts/configuration.mjs'
import { openSqliteStore } from '../server/audit/sqlite.ts'
import { readConfig } from '../server/config.ts'
import { ImagegateError } from '../server/errors.ts'
import { privateKey } from '../server/policy/bundle-key.ts'
import { settings } from '../server/settings.ts'
import { identityAt, makeRecord } from './audit/records.ts'
import { imagegate } from './cli/support.ts'
import { stage } from './http/support.ts'

const top = fileURLToPath(new URL('../', import.meta.url))
const read = (file: string) => readFileSync(join(top, file), 'utf8')
/** A file without the table of settings: what a setting says of itself is the program's own word. */
const prose = (file: string) => read(file).replace(/^\| `IMAGEGATE_.*$/gm, '')
const names: ReadonlySet<string> = new Set(settings.map(({ name }) => name))
const pages = ['docs/operations.md', 'docs/scale.md']
const manifests = ['examples/deploy/compose.yaml', 'examples/deploy/kubernetes.yaml', 'examples/deploy/alerts.yaml']

/** What the image says of itself. */
const dockerfile = read('Dockerfile')
const user = /^USER (\d+):(\d+)$/m.exec(dockerfile)
const port = /^EXPOSE (\d+)$/m.exec(dockerfile)?.[1]
const data = /^VOLUME (\S+)$/m.exec(dockerfile)?.[1]

t.test('docs/operations.md has the table of settings: npm run build && node scripts/configuration.mjs', async (t) => {
  const page = read('docs/operations.md')
  t.equal(page, withTable(page, configurationTable(settings)))
})

t.test('documents and manifests name only variables that exist', async (t) => {
  const ofTests = new Set(['IMAGEGATE_TEST_POSTGRES_URL'])
  for (const file of [...pages, ...manifests]) {
    const named = prose(file).match(/IMAGEGATE_[A-Z_]+/g) ?? []
    t.same(
      named.filter((name) => !names.has(name) && !ofTests.has(name)),
      [],
      file,
    )
  }
})

t.test('documents and rules name only metrics that the service has, and explain every alert', async (t) => {
  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  // Everything is allowed on a stage, which has no authentication.
  const exposed = (await app.inject('/metrics')).body
  const families = new Map([...exposed.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => [name, type]))
  const isKnown = (name: string) => {
    const family = name.replace(/_(bucket|count|sum)$/, '')
    return families.has(name) || families.get(family) === 'histogram'
  }
  const rules = parse(read('examples/deploy/alerts.yaml')).groups[0].rules
  const ofRules = rules.flatMap(({ expr }: { expr: string }) => expr.match(/\bimagegate_[a-z_]+/g) ?? [])
  t.ok(ofRules.length >= 7, `${ofRules.length} names`)
  const ofPages = pages.flatMap((page) => prose(page).match(/\bimagegate_[a-z_]+/g) ?? [])
  t.same(
    [...ofRules, ...ofPages].filter((name) => !isKnown(name)),
    [],
  )
  const explained = [...read('docs/operations.md').matchAll(/^\| (Imagegate\w+) \|/gm)].map(([, name]) => name)
  t.same(
    explained,
    rules.map(({ alert }: { alert: string }) => alert),
  )
})

t.test('metrics of the process that rules name are those of the running service', async (t) => {
  const { collectDefaultMetrics, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const known = registry.getMetricsAsArray().map(({ name }) => name)
  for (const file of ['examples/deploy/alerts.yaml', ...pages]) {
    const named = read(file).match(/\b(nodejs|process)_[a-z0-9_]+/g) ?? []
    t.same(
      named.filter((name) => !known.includes(name)),
      [],
      file,
    )
  }
})

interface Variable {
  readonly name: string
  readonly value: string
}

/** An environment as a manifest gives it must be one that the service takes; its files are elsewhere. */
function takes(t: Test, given: readonly Variable[]): void {
  t.same(
    given.filter(({ name }) => !names.has(name)),
    [],
    'every variable is a setting',
  )
  const file = join(t.testdir({ secret: 'secret' }), 'secret')
  const environment = Object.fromEntries(
    given.map(({ name, value }) => [name, name.endsWith('_FILE') || name.endsWith('_KEY') ? file : value]),
  )
  try {
    const config = readConfig(environment)
    t.equal(String(config.port), port, 'listens where the image says')
    t.equal(config.database.kind, 'postgres')
    t.notMatch(environment['IMAGEGATE_DATABASE_URL'], /:[^/@]+@/, 'no password stands in the manifest')
  } catch (error) {
    t.fail(error instanceof ImagegateError ? error.message : String(error))
  }
}

t.test('compose.yaml agrees with the image and with the settings', async (t) => {
  const { services, secrets, volumes, networks } = parse(read('examples/deploy/compose.yaml'))
  const { imagegate, database } = services
  takes(
    t,
    Object.entries<string>(imagegate.environment).map(([name, value]) => ({ name, value: String(value) })),
  )
  t.equal(imagegate.user, `${user?.[1]}:${user?.[2]}`)
  t.same(imagegate.ports, [`127.0.0.1:${port}:${port}`], 'published on loopback alone')
  const checkpoints = imagegate.environment.IMAGEGATE_CHECKPOINT_DIRECTORY
  t.same(imagegate.volumes, [`imagegate:${data}`, `checkpoints:${checkpoints}`])
  t.match(dockerfile, new RegExp(`--owner=${user?.[1]} .*${checkpoints}$`, 'm'), 'a new volume belongs to the user')
  t.ok(imagegate.environment.IMAGEGATE_CHECKPOINT_KEY, 'checkpoints are signed')
  t.match(imagegate, { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
  t.same(database.ports, undefined, 'the database is published nowhere')
  t.ok(networks.database.internal)
  for (const service of [imagegate, database]) {
    for (const secret of service.secrets) t.ok(secret in secrets, `${secret} is declared`)
    for (const volume of service.volumes) t.ok(volume.split(':')[0] in volumes, `${volume} is declared`)
  }
  const files = Object.entries<string>(imagegate.environment).filter(([name]) => /_(FILE|KEY)$/.test(name))
  t.same(
    files.map(([name]) => name),
    ['IMAGEGATE_DATABASE_PASSWORD_FILE', 'IMAGEGATE_CHECKPOINT_KEY'],
  )
  for (const [name, path] of files) t.ok(imagegate.secrets.includes(path.replace('/run/secrets/', '')), name)
  const grace = Number.parseInt(imagegate.stop_grace_period, 10)
  t.ok(grace > Number(imagegate.environment.IMAGEGATE_SHUTDOWN_SECONDS), 'requests in flight may finish')
})

t.test('kubernetes.yaml agrees with the image, the routes and the settings', async (t) => {
  const all = parseAllDocuments(read('examples/deploy/kubernetes.yaml')).map((document) => document.toJS())
  const ofKind = (kind: string) => all.find((one) => one.kind === kind)
  const { replicas, template, selector } = ofKind('Deployment').spec
  const pod = template.spec
  const [container] = pod.containers
  const podName = container.env.find(({ name }: Variable) => name === 'POD_NAME')
  t.equal(podName.valueFrom.fieldRef.fieldPath, 'metadata.name')
  const variables: readonly Variable[] = container.env.filter((one: Variable) => one !== podName)
  takes(t, variables)
  t.equal(replicas, 3)
  t.ok(ofKind('PodDisruptionBudget').spec.minAvailable < replicas, 'a node can be drained')
  t.match(pod.securityContext, { runAsNonRoot: true, runAsUser: Number(user?.[1]), runAsGroup: Number(user?.[2]) })
  t.match(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  })
  t.same(
    container.ports.map(({ containerPort }: { containerPort: number }) => String(containerPort)),
    [port],
  )
  t.same(ofKind('Service').spec.selector, selector.matchLabels)
  t.equal(ofKind('Service').spec.ports[0].targetPort, container.ports[0].name)
  t.ok(container.volumeMounts.some(({ mountPath }: { mountPath: string }) => mountPath === data))

  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  for (const [probe, path] of Object.entries({ startup: 'live', liveness: 'live', readiness: 'ready' })) {
    const { httpGet } = container[`${probe}Probe`]
    t.equal(httpGet.path, `/health/${path}`, `${probe}: a database that is away restarts nobody`)
    t.equal((await app.inject(httpGet.path)).statusCode, 200)
  }
  const number = (name: string) =>
    Number(container.env.find((one: Variable) => one.name === `IMAGEGATE_${name}_SECONDS`).value)
  t.ok(pod.terminationGracePeriodSeconds > number('SHUTDOWN') + number('SHUTDOWN_DELAY'))
  const mounts = container.volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)
  const files = variables.filter(({ name }) => /_(FILE|KEY|DIRECTORY)$/.test(name))
  t.same(
    files.map(({ name }) => name),
    ['IMAGEGATE_DATABASE_PASSWORD_FILE', 'IMAGEGATE_CHECKPOINT_KEY', 'IMAGEGATE_CHECKPOINT_DIRECTORY'],
  )
  for (const { name, value } of files) {
    t.ok(
      mounts.some((mount: string) => value.startsWith(`${mount}/`)),
      `${name} is mounted`,
    )
  }
  const directory = files.find(({ name }) => name === 'IMAGEGATE_CHECKPOINT_DIRECTORY')?.value ?? ''
  t.ok(directory.endsWith('/$(POD_NAME)'), 'each process has a directory of its own')
  t.ok(container.env.indexOf(podName) < container.env.findIndex(({ value }: Variable) => value === directory))
  const { name: volume } = container.volumeMounts.find(({ mountPath }: { mountPath: string }) =>
    directory.startsWith(`${mountPath}/`),
  )
  const claim = pod.volumes.find(({ name }: { name: string }) => name === volume).persistentVolumeClaim.claimName
  t.equal(claim, ofKind('PersistentVolumeClaim').metadata.name, 'it outlives the pod')
})

const noOpenssl =
  spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not there: install Debian’s package openssl'

t.test('the command for a checkpoint key is the same everywhere and makes one', { skip: noOpenssl }, (t) => {
  const made = ['README.md', 'compose.yaml', 'kubernetes.yaml'].map((name) => {
    const [, command = '', file = ''] = /openssl (genpkey .* -out) (\S+)/.exec(read(`examples/deploy/${name}`)) ?? []
    return { command, file }
  })
  const [first, compose, kubernetes] = made
  t.equal(new Set(made.map(({ command }) => command)).size, 1)
  t.equal(parse(read('examples/deploy/compose.yaml')).secrets['checkpoint-key'].file, compose?.file)
  t.match(read('examples/deploy/kubernetes.yaml'), `--from-file=${kubernetes?.file}\n`)
  const file = join(t.testdir(), 'key')
  execFileSync('openssl', [...(first?.command.split(' ') ?? []), file], { stdio: 'ignore' })
  t.equal(privateKey(readFileSync(file, 'utf8'), file).asymmetricKeyType, 'ed25519')
  t.end()
})

t.test('facts expire every night in each way to deploy, by the command that docs/operations.md has', async (t) => {
  const all = parseAllDocuments(read('examples/deploy/kubernetes.yaml')).map((document) => document.toJS())
  const ofKind = (kind: string) => all.find((one) => one.kind === kind)
  const { schedule, concurrencyPolicy, jobTemplate } = ofKind('CronJob').spec
  const { metadata, spec: pod } = jobTemplate.spec.template
  const [container] = pod.containers
  const serving = ofKind('Deployment').spec.template
  t.equal(concurrencyPolicy, 'Forbid')
  t.not(metadata.labels.app, ofKind('Service').spec.selector.app, 'no request is routed to it')
  t.equal(container.image, serving.spec.containers[0].image)
  t.same(pod.securityContext, serving.spec.securityContext)
  t.same(container.securityContext, serving.spec.containers[0].securityContext)
  takes(t, container.env)
  const served = new Map(serving.spec.containers[0].env.map(({ name, value }: Variable) => [name, value]))
  for (const { name, value } of container.env) t.equal(value, served.get(name), `${name} is that of the replicas`)
  const { mountPath } = container.volumeMounts[0]
  const { items } = pod.volumes[0].secret
  const password = container.env.find(({ name }: Variable) => name.endsWith('_PASSWORD_FILE')).value
  t.same(
    items.map(({ path }: { path: string }) => `${mountPath}/${path}`),
    [password],
    'and it sees no other secret',
  )

  const database = join(t.testdir(), 'audit.db')
  const environment = { IMAGEGATE_DATABASE_URL: `file:${database}` }
  const store = await openSqliteStore({ file: database })
  await store.record(makeRecord({ identity: identityAt('2025-01-01T00:00:00Z') }))
  await store.close()
  const ran = await imagegate(container.args, { environment })
  t.equal(ran.code, 0, ran.stderr)
  t.match(ran.stdout, /^1 fact documents of \d+ bytes were removed\.$/m)

  const command = container.args.map((arg: string) => (arg.includes(' ') ? `"${arg}"` : arg)).join(' ')
  t.ok(read('docs/operations.md').includes(`    ${schedule} imagegate ${command}\n`))
  const cron = /^# +(\S+ \S+ \* \* \*) cd FOLDER && docker compose .* run -T --rm --no-deps (\w+) (.*)$/m
  const [, when, service = '', line] = cron.exec(read('examples/deploy/compose.yaml')) ?? []
  t.same([when, line], [schedule, command])
  t.ok(service in parse(read('examples/deploy/compose.yaml')).services)
})
