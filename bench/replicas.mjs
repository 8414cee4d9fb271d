// Three replicas behind haproxy on a PostgreSQL primary with a synchronous standby, all on this machine: acknowledged
// verdicts a second before the primary is killed, how long none is acknowledged, and the rate on the promoted standby
// while replicas are killed and started again. It is the test of the same name at its full length, so that figures come
// from runs in which nothing was lost. Needs a build, Debian's postgresql and haproxy. Usage: node bench/replicas.mjs [runs]
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const top = fileURLToPath(new URL('../', import.meta.url))
const runs = Number(process.argv[2] ?? '3')
console.log(`Node ${process.version}\n`)
console.log(
  '| verdicts/s before | none for (ms) | promoted after (ms) | verdicts/s after | replicas killed | acknowledged | seed |',
)
console.log('|---|---|---|---|---|---|---|')
for (let run = 0; run < runs; run += 1) {
  const { stdout, status } = spawnSync(
    'npx',
    ['tap', '--disable-coverage', '--reporter=tap', 'test/faults/replicas.test.ts'],
    {
      cwd: top,
      encoding: 'utf8',
      env: { ...process.env, IMAGEGATE_LONG: '1' },
    },
  )
  const told = /# figures (\{.*\})/.exec(stdout)?.[1]
  if (status !== 0 || told === undefined) throw new Error(`The run failed:\n${stdout}`)
  const { before, outageMs, promotedAfterMs, after, replicasKilled, acknowledged, seed } = JSON.parse(told)
  console.log(`| ${[before, outageMs, promotedAfterMs, after, replicasKilled, acknowledged, seed].join(' | ')} |`)
}
