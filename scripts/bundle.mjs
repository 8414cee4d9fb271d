import { chmod, readdir, readFile, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const dist = fileURLToPath(new URL('../dist', import.meta.url))

// A module finds files beside itself, wherever its text has gone; what is bundled stands in the top folder.
const ownPlaces = {
  name: 'own-places',
  setup(build) {
    build.onLoad({ filter: /\.js$/ }, async ({ path }) => {
      const text = path.startsWith(dist) ? await readFile(path, 'utf8') : ''
      if (!text.includes('import.meta.url')) return undefined
      const place = `new URL(${JSON.stringify(`./${relative(dist, path)}`)}, import.meta.url).href`
      return { contents: text.replaceAll('import.meta.url', place), loader: 'js' }
    })
  },
}

for (const name of await readdir(dist)) if (/^main[-.]/.test(name) && name !== 'main.js') await rm(join(dist, name))
await build({
  entryPoints: [join(dist, 'main.js')],
  outdir: dist,
  allowOverwrite: true,
  chunkNames: 'main-[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  minifySyntax: true,
  minifyWhitespace: true,
  plugins: [ownPlaces],
  // What looks for its own files, or is native; only the service and the record need it.
  external: ['fastify', '@fastify/*', 'pino', 'prom-client', 'better-sqlite3'],
  // Packages that are not modules ask for Node's own in this way.
  banner: {
    js: "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);",
  },
})
// npx makes it so only when it sees the package for the first time.
await chmod(join(dist, 'main.js'), 0o755)
