/**
 * Writes server/documents/*.ts from the schemas beside this file. `npm run types` runs it; a test compares its result with what is committed.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { compile } from 'json-schema-to-typescript'

const kinds = [
  ['facts', 'FactDocument'],
  ['policy', 'Policy'],
  ['verdict', 'Verdict'],
  ['policy-test', 'PolicyTest'],
  ['policy-lock', 'PolicyLock'],
]

/** Titles are for people and differ between equal types, so the definition's key names the type. */
function withoutTitles(node) {
  if (Array.isArray(node)) return node.map(withoutTitles)
  if (node === null || typeof node !== 'object') return node
  const kept = Object.entries(node).filter(([key, value]) => !(key === 'title' && typeof value === 'string'))
  return Object.fromEntries(
    kept.map(([key, value]) => [key, key === 'examples' || key === 'description' ? value : withoutTitles(value)]),
  )
}

/** Returns [file, text] for each kind of document; files are relative to the repository's top. */
export async function generateTypes() {
  return Promise.all(
    kinds.map(async ([kind, name]) => {
      const schema = withoutTitles(JSON.parse(await readFile(new URL(`${kind}.schema.json`, import.meta.url), 'utf8')))
      delete schema.$id
      const text = await compile(schema, name, {
        bannerComment: `/* Generated from schemas/${kind}.schema.json by npm run types. */`,
        additionalProperties: false,
        ignoreMinAndMaxItems: true,
        format: true,
        style: { semi: false, singleQuote: true, printWidth: 120 },
      })
      return [`server/documents/${kind}.ts`, text]
    }),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, text] of await generateTypes()) await writeFile(new URL(`../${file}`, import.meta.url), text)
}
