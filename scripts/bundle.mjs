import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { Script } from 'node:vm'
import { build } from 'esbuild'
import { compiledFiles, scriptOf } from '../dist/compiled.js'

const dist = fileURLToPath(new URL('../dist', import.meta.url))

// A module finds files beside itself, wherever its text has gone; what is bundled stands in the top folder.
const ownPlaces = (top) => ({
  name: 'own-places',
  setup(build) {
    build.onLoad({ filter: /\.js$/ }, async ({ path }) => {
      const text = path.startsWith(dist) ? await readFile(path, 'utf8') : ''
      if (!text.includes('import.meta.url')) return undefined
      const place = `new URL(${JSON.stringify(`./${relative(dist, path)}`)}, ${top}).href`
      return { contents: text.replaceAll('import.meta.url', place), loader: 'js' }
    })
  },
})

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  minifySyntax: true,
  minifyWhitespace: true,
  // What looks for its own files, or is native; only the service and the record need it.
  external: ['fastify', '@fastify/*', 'pino', 'prom-client', 'better-sqlite3'],
}

// A thread starts from one file.
const thread = join(dist, 'collector', 'linux', 'unpack-worker')
await build({ ...common, entryPoints: [`${thread}.js`], outfile: `${thread}.cjs`, format: 'cjs' })

// What reads images is one file, with what V8 makes of all of it: flags stand in that, so it is made with those of a run.
const { text, code } = compiledFiles('images')
await build({
  ...common,
  entryPoints: [join(dist, 'cli', 'images.js')],
  outfile: fileURLToPath(text),
  format: 'cjs',
  charset: 'ascii',
  plugins: [ownPlaces('$top')],
})
setFlagsFromString('--no-lazy')
const script = new Script(scriptOf(await readFile(text)), { filename: fileURLToPath(text) })
setFlagsFromString('--lazy')
await writeFile(code, script.createCachedData())

for (const name of await readdir(dist)) if (/^main[-.]/.test(name) && name !== 'main.js') await rm(join(dist, name))
await build({
  ...common,
  entryPoints: [join(dist, 'main.js')],
  outdir: dist,
  allowOverwrite: true,
  chunkNames: 'main-[name]-[hash]',
  splitting: true,
  format: 'esm',
  plugins: [ownPlaces('import.meta.url')],
  // Packages that are not modules ask for Node's own in this way.
  banner: {
    js: "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);",
  },
})
// npx makes it so only when it sees the package for the first time.
await chmod(join(dist, 'main.js'), 0o755)
