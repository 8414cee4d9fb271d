import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { kinds, schema } from '../server/schemas.ts'
import { settingsSchema } from '../server/settings.ts'
import { compiledFile, strictAjv } from '../server/validators.ts'

const built = new URL('../dist/validators/', import.meta.url)
const names = [
  ...kinds.map((kind) => basename(compiledFile(schema(kind), false).pathname)),
  basename(compiledFile(settingsSchema, true).pathname),
]

t.test('the build compiled the validator of every kind and of the settings, and nothing else', async (t) => {
  t.same((await readdir(built)).sort(), names.toSorted(), 'run npm run build')
})

t.test('a compiled validator decides as ajv does, wherever a document is broken', async (t) => {
  const name = basename(compiledFile(schema('facts'), false).pathname)
  const compiled: (value: unknown) => boolean = createRequire(built)(`./${name}`)
  const ajv = strictAjv(false).compile(schema('facts'))
  const document = JSON.parse(await readFile(new URL('../examples/linux/ready.json', import.meta.url), 'utf8'))
  t.ok(compiled(document))
  const kinds = new Set<boolean>()
  const visit = (node: object): void => {
    for (const [key, value] of Object.entries(node)) {
      for (const other of [undefined, 'x', -1, [], {}]) {
        Reflect.set(node, key, other)
        const text = JSON.parse(JSON.stringify(document))
        const found = compiled(text)
        kinds.add(found)
        if (found !== ajv(text)) t.fail(`${key} as ${JSON.stringify(other)} is ${found} only as compiled`)
      }
      Reflect.set(node, key, value)
      if (typeof value === 'object' && value !== null) visit(value)
    }
  }
  visit(document)
  t.equal(kinds.size, 2, 'some changes are valid and some are not')
})

t.test('the built program judges a document without loading a package', async (t) => {
  const top = fileURLToPath(new URL('../', import.meta.url))
  const program = `
    process.argv = ['node', 'imagegate', 'evaluate', '--format', 'json', 'examples/linux/ready.json']
    process.on('exit', () => console.error(JSON.stringify(Object.keys(require('node:module')._cache))))
    import('./dist/main.js')`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--eval', program], { cwd: top, encoding: 'utf8' })
  t.equal(status, 0)
  t.match(JSON.parse(stdout), { outcome: 'ready' })
  t.match(stderr, /dist\/validators/, 'what the build compiled')
  t.notMatch(stderr, /node_modules\/(ajv|commander|json-rules-engine|tar|yaml)\//)
})
