import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const top = fileURLToPath(new URL('../', import.meta.url))
const started = /^(main.*|images)\.(js|cjs|v8)$/

function node(args: readonly string[], cwd: string): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env: {} })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

/** What the program answers in a folder, and which files it did so from. */
function answers(folder: string, command: string): { readonly help: string; readonly files: string[] } {
  const program = `
    process.argv = ['node', 'imagegate', '${command}', '--help']
    const seen = new Set()
    const fs = require('node:fs')
    const read = fs.readFileSync
    fs.readFileSync = (file, ...rest) => {
      seen.add(String(file))
      return read(file, ...rest)
    }
    require('node:module').syncBuiltinESMExports()
    process.on('exit', () => console.log(JSON.stringify([...seen])))
    import('./dist/main.js')`
  const lines = node(['--eval', program], folder).trimEnd().split('\n')
  const files: unknown = JSON.parse(lines.pop() ?? '')
  return { help: lines.join('\n'), files: Array.isArray(files) ? files.map(String) : [] }
}

t.test('V8 takes what the build has compiled', async (t) => {
  const program = `
    import { readFileSync } from 'node:fs'
    import { fileURLToPath } from 'node:url'
    import { Script } from 'node:vm'
    import { compiledFiles, scriptOf } from './dist/compiled.js'
    const { text, code } = compiledFiles('images')
    const { cachedDataRejected } = new Script(scriptOf(readFileSync(text)), { filename: fileURLToPath(text), cachedData: readFileSync(code) })
    console.log(cachedDataRejected)`
  t.equal(node(['--input-type=module', '--eval', program], top), 'false\n')
})

t.test('what reads images runs from its own file, and without it as every other command does', async (t) => {
  const folder = t.testdir({ dist: {} })
  for (const name of readdirSync(join(top, 'dist')).filter((one) => started.test(one)))
    cpSync(join(top, 'dist', name), join(folder, 'dist', name))
  cpSync(join(top, 'package.json'), join(folder, 'package.json'))
  for (const name of ['node_modules', 'schemas']) symlinkSync(join(top, name), join(folder, name))
  const code = join(folder, 'dist', 'images.v8')
  for (const command of ['check', 'collect']) {
    const own = answers(folder, command)
    t.match(own.help, `Usage: imagegate ${command} `)
    t.ok(own.files.some((file) => file.endsWith('/dist/images.cjs')))
  }
  const other = answers(folder, 'evaluate')
  t.match(other.help, 'Usage: imagegate evaluate ')
  t.notOk(other.files.some((file) => file.endsWith('/dist/images.cjs')))
  const check = answers(folder, 'check').help
  writeFileSync(code, 'of another version')
  t.equal(answers(folder, 'check').help, check, 'what V8 refuses is compiled anew')
  rmSync(code)
  t.equal(answers(folder, 'check').help, check, 'without it the program starts from its other files')
})
