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
  ['equivalent-mutants', 'EquivalentMutants'],
  ['policy-impact', 'PolicyImpact'],
  ['policy-bundle', 'PolicyBundle'],
  ['policy-diff', 'PolicyDiff'],
  ['verification', 'Verification'],
  ['export', 'ExportManifest'],
  ['checkpoint', 'Checkpoint'],
  ['proof', 'InclusionProof'],
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

/** A chain of if, then and else chooses one branch, and so gives one telling problem; as a type it is their union. */
function branches(node) {
  return 'if' in node ? [node.then, ...branches(node.else)] : [node]
}

function withUnions(node) {
  if (Array.isArray(node)) return node.map(withUnions)
  if (node === null || typeof node !== 'object') return node
  const { if: condition, then: _then, else: _else, type: _type, ...rest } = node
  if (condition !== undefined) return { ...rest, oneOf: branches(node).map(withUnions) }
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, key === 'examples' ? value : withUnions(value)]),
  )
}

/** Returns [file, text] for each kind of document; files are relative to the repository's top. */
export async function generateTypes() {
  return Promise.all(
    kinds.map(async ([kind, name]) => {
      const text = await readFile(new URL(`${kind}.schema.json`, import.meta.url), 'utf8')
      const schema = withUnions(withoutTitles(JSON.parse(text)))
      delete schema.$id
      const types = await compile(schema, name, {
        bannerComment: `/* Generated from schemas/${kind}.schema.json by npm run types. */`,
        additionalProperties: false,
        ignoreMinAndMaxItems: true,
        format: true,
        style: { semi: false, singleQuote: true, printWidth: 120 },
      })
      return [`server/documents/${kind}.ts`, types]
    }),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, text] of await generateTypes()) await writeFile(new URL(`../${file}`, import.meta.url), text)
}
