import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const binding = join(
  dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json')),
  'build/Release/better_sqlite3.node',
)
const header = fileURLToPath(new URL('sqlite-binding.h', import.meta.url))
// make takes CXXFLAGS apart at spaces, so the header's folder is a search path of its own and its name is bare.
const environment = {
  ...process.env,
  CPLUS_INCLUDE_PATH: [dirname(header), process.env.CPLUS_INCLUDE_PATH].filter(Boolean).join(':'),
  CXXFLAGS: `${process.env.CXXFLAGS ?? ''} -include sqlite-binding.h`.trim(),
  npm_config_build_from_source: 'true',
}

// The only call that better-sqlite3 itself makes is to add a hook; removing one comes from Node's header alone.
async function aborts() {
  return (await readFile(binding)).includes('RemoveEnvironmentCleanupHook')
}

if (await aborts()) {
  console.error(
    `SQLite's binding as installed would abort Node ${process.versions.node} (nodejs/node issue 65446); compiling it again, which takes a minute or two.`,
  )
  const { status } = spawnSync('npm', ['rebuild', 'better-sqlite3'], {
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status !== 0 || (await aborts())) {
    console.error(
      "SQLite's binding could not be mended: install python3, make and g++ and run `npm ci` again, or use Node 20 or 22.",
    )
    process.exitCode = 1
  }
}
