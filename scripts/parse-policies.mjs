import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { sha256 } from '../dist/digest.js'
import { parsePolicy } from '../dist/policy/parse.js'
import { parsedFile, parsedFolder } from '../dist/policy/parsed.js'

const policies = new URL('../policies/', import.meta.url)

await rm(parsedFolder, { recursive: true, force: true })
await mkdir(parsedFolder)
for (const entry of await readdir(policies, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue
  for (const name of await readdir(new URL(`${entry.name}/`, policies))) {
    if (!name.endsWith('.yaml')) continue
    const text = await readFile(new URL(`${entry.name}/${name}`, policies), 'utf8')
    const { policy } = parsePolicy(text, `${entry.name}/${name}`)
    // What is no policy is for `imagegate policy lint` to tell, and no reason not to build.
    if (policy !== undefined) await writeFile(parsedFile(sha256(text)), JSON.stringify(policy))
  }
}
