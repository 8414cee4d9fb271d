import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { generateTypes } from '../schemas/generate-types.mjs'

const top = fileURLToPath(new URL('../', import.meta.url))
const read = (file: string) => readFile(join(top, file), 'utf8')

async function files(folder: string, ending: string): Promise<string[]> {
  const names = await readdir(join(top, folder), { recursive: true })
  return names
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`)
    .sort()
}

const sources = new Map(
  await Promise.all((await files('server', '.ts')).map(async (file) => [file, await read(file)] as const)),
)

function importsOf(text: string): string[] {
  return [...text.matchAll(/^(?:import|export)\s[^;]*?from\s+'([^']+)'|^import\s+'([^']+)'/gms)].map(
    (match) => match[1] ?? match[2] ?? '',
  )
}

/** Floors of the house, lowest first; the first pattern that fits a file names its floor. */
const floors: readonly (readonly [floor: string, pattern: RegExp])[] = [
  ['use case', /^server\/evaluation\/(record|replay|timeline(-record)?)\.ts$|^server\/authoring\//],
  ['outside world', /^server\/(audit|collector|issuer)\/|^server\/policy\/(load|bundle|parsed)[a-z-]*\.ts$/],
  ['domain', /^server\/(access|facts|policy|evaluation)\//],
  ['doors', /^server\/(http|cli)\//],
  ['wiring', /^server\/(app|compose|command-line|main)\.ts$/],
  ['leaves', /^server\/documents\/|^server\/[a-z-]+\.ts$/],
]
const order = ['leaves', 'domain', 'outside world', 'use case', 'doors', 'wiring']

function floorOf(file: string): string {
  return floors.find(([, pattern]) => pattern.test(file))?.[0] ?? `no floor for ${file}`
}

t.test('imports go down only', async (t) => {
  for (const [file, text] of sources) {
    const from = order.indexOf(floorOf(file))
    t.not(from, -1, `${file} stands on a floor`)
    for (const specifier of importsOf(text).filter((one) => one.startsWith('.'))) {
      const target = normalize(join(dirname(file), specifier))
      t.ok(sources.has(target), `${file} imports ${specifier}, which exists`)
      const to = order.indexOf(floorOf(target))
      if (to > from) t.fail(`${file} (${order[from]}) imports ${target} (${order[to]})`)
    }
  }
})

t.test('no file imports itself by a detour', async (t) => {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) t.fail(`a cycle: ${[...path, file].join(' -> ')}`)
    if (path.includes(file) || done.has(file)) return
    for (const specifier of importsOf(sources.get(file) ?? '').filter((one) => one.startsWith('.'))) {
      visit(normalize(join(dirname(file), specifier)), [...path, file])
    }
    done.add(file)
  }
  for (const file of sources.keys()) visit(file, [])
  t.equal(done.size, sources.size)
})

t.test('packages with traps are imported in their own files only', async (t) => {
  const allowed: Readonly<Record<string, RegExp>> = {
    'json-rules-engine': /^server\/(policy\/reference|evaluation\/operators)\.ts$/,
    'better-sqlite3': /^server\/audit\/sqlite[a-z-]*\.ts$/,
    pg: /^server\/audit\/postgres[a-z-]*\.ts$/,
    jose: /^server\/issuer\//,
    kysely: /^server\/audit\//,
    fastify: /^server\/(http\/.*|app)\.ts$/,
    commander: /^server\/(cli\/.*|main)\.ts$/,
    yaml: /^server\/(policy|cli|collector|http)\//,
  }
  for (const [name, pattern] of Object.entries(allowed)) {
    const importers = [...sources].filter(([, text]) => importsOf(text).includes(name)).map(([file]) => file)
    t.ok(importers.length > 0, `${name} is used`)
    t.same(
      importers.filter((file) => !pattern.test(file)),
      [],
      `${name} stays in its room`,
    )
  }
})

t.test('the environment is read in one file, and colour detection', async (t) => {
  const readers = [...sources].filter(([, text]) => /process\.env\b/.test(text)).map(([file]) => file)
  t.same(
    readers.filter((file) => file !== 'server/config.ts' && !/^server\/cli\/colou?r/.test(file)),
    [],
  )
})

t.test('source files stay small and silence no doubt', async (t) => {
  for (const [file, text] of sources) {
    if (file.startsWith('server/documents/')) continue
    t.ok(text.split('\n').length <= 300, `${file} has at most 300 lines`)
    t.notMatch(text, /\bas any\b|: any\b|as unknown as|@ts-|biome-ignore|export default/, file)
  }
})

t.test('the types are those of the schemas', async (t) => {
  for (const [file, text] of await generateTypes()) t.equal(await read(file), text, `${file}: run npm run types`)
})

t.test('every schema is one by its meta-schema', async (t) => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
  for (const file of await files('schemas', '.schema.json'))
    t.ok(ajv.validateSchema(JSON.parse(await read(file))), `${file} ${ajv.errorsText()}`)
})

t.test('every property of every schema has a title, a description and examples', async (t) => {
  const visit = (node: unknown, place: string): void => {
    if (typeof node !== 'object' || node === null) return
    if ('properties' in node && typeof node.properties === 'object') {
      for (const [name, child] of Object.entries(node.properties ?? {})) {
        const here = `${place}/${name}`
        if (place.endsWith('/if') || place.includes('/patch/') || typeof child !== 'object') continue
        if ('$ref' in child && Object.keys(child).length === 1) continue
        for (const word of ['title', 'description', 'examples']) t.ok(word in child, `${here} has ${word}`)
      }
    }
    for (const [key, child] of Object.entries(node)) if (key !== 'examples') visit(child, `${place}/${key}`)
  }
  for (const file of await files('schemas', '.schema.json')) visit(JSON.parse(await read(file)), file)
})

t.test('the lockfile names no download address, and native packages fit every supported Node', async (t) => {
  t.notMatch(await read('package-lock.json'), /"resolved": *"https?:/)
  const { engines, dependencies, devDependencies } = JSON.parse(await read('package.json'))
  t.match(engines.node, '>=20', 'Node 20 is supported, so')
  t.match(dependencies['better-sqlite3'], /^12\./, 'better-sqlite3 stays below 13, which crashes there')
  for (const version of Object.values({ ...dependencies, ...devDependencies }))
    t.match(version, /^\d+\.\d+\.\d+$/, 'pinned exactly')
})

t.test('each top-level folder has a short README', async (t) => {
  for (const folder of [
    'server',
    'policies',
    'schemas',
    'migrations',
    'test',
    'bench',
    'examples',
    'docs',
    'scripts',
  ]) {
    const text = await read(`${folder}/README.md`)
    t.ok(text.split('\n').length <= 41, `${folder}/README.md`)
  }
})
