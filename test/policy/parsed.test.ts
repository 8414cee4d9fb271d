import { readdir, readFile } from 'node:fs/promises'
import t from 'tap'
import { loadPolicies, shippedPolicies } from '../../server/policy/load.ts'

const built = new URL('../../dist/policies/', import.meta.url)

t.test('what the build parsed is what the texts say, and nothing else is there', async (t) => {
  const { versions } = await loadPolicies(shippedPolicies, { released: false })
  t.ok(versions.length >= 4)
  const names = versions.map(({ digest }) => `${digest.replace(':', '-')}.json`)
  t.same((await readdir(built)).sort(), names.sort(), 'run npm run build')
  for (const { digest, family, policy } of versions) {
    const text = await readFile(new URL(`${digest.replace(':', '-')}.json`, built), 'utf8')
    t.same(JSON.parse(text), policy, family)
  }
})

t.test('the built program reads them from there', async (t) => {
  const url = new URL('../../dist/policy/load.js', import.meta.url).href
  const load: typeof import('../../server/policy/load.ts') = await import(url)
  const { versions } = await load.loadPolicies(shippedPolicies)
  const parsed: typeof import('../../server/policy/parsed.ts') = await import(new URL('parsed.js', url).href)
  for (const { digest, policy } of versions) t.same(parsed.parsedPolicy(digest), policy)
  t.equal(parsed.parsedPolicy(`sha256:${'0'.repeat(64)}`), undefined, 'what was not built is parsed when it is used')
})
