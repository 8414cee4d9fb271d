import { mkdir, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { kinds, schema } from '../dist/schemas.js'
import { settingsSchema } from '../dist/settings.js'
import { compiledFile, compiledFolder, strictAjv } from '../dist/validators.js'

const standalone = createRequire(import.meta.url)('ajv/dist/standalone').default

// What every document that is read passes through; problems are told by ajv itself, which is loaded when there are any.
const schemas = [
  ...kinds.map((kind) => ({ schema: schema(kind), allErrors: false })),
  { schema: settingsSchema, allErrors: true },
]

await rm(compiledFolder, { recursive: true, force: true })
await mkdir(compiledFolder)
await Promise.all(
  schemas.map(({ schema, allErrors }) => {
    const ajv = strictAjv(allErrors, true)
    return build({
      stdin: {
        contents: standalone(ajv, ajv.compile(schema)),
        resolveDir: fileURLToPath(compiledFolder),
        loader: 'js',
      },
      outfile: fileURLToPath(compiledFile(schema, allErrors)),
      bundle: true,
      platform: 'node',
      minifySyntax: true,
      minifyWhitespace: true,
    })
  }),
)
