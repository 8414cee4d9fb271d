import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LivePolicies } from '../../server/policy/live.ts'
import { shippedPolicies } from '../../server/policy/load.ts'
import { loadSource } from '../../server/policy/load-source.ts'
import { LoadingThread } from '../../server/policy/load-thread.ts'

const shipped = await readFile(join(shippedPolicies, 'unidentified/1.0.0.yaml'), 'utf8')
const candidateText = (version: string) => shipped.replace(/^version: .*$/m, `version: "${version}"`)

/** Live policies with a candidate, loaded in a thread. */
async function live(t: Test) {
  const path = join(t.testdir({}), 'policies')
  const candidate = join(t.testdirName, 'candidate.yaml')
  await cp(shippedPolicies, path, { recursive: true })
  await writeFile(candidate, candidateText('1.1.0'))
  const source = { path, candidate }
  const thread = new LoadingThread(source)
  t.teardown(() => thread.close())
  const errors: object[] = []
  const policies = await LivePolicies.start(await loadSource(source), {
    load: (serving) => thread.load(serving),
    accept: () => Promise.reject(new Error('There is no bundle here.')),
    now: () => new Date(),
    log: { info: () => undefined, error: (details) => errors.push(details) },
  })
  return { path, candidate, policies, thread, errors }
}

t.test('what has not changed stays the same object, and a changed candidate is exchanged alone', async (t) => {
  const { candidate, policies } = await live(t)
  const first = policies.served
  t.match(first.candidate, { family: 'unidentified', version: '1.1.0' })
  t.equal(await policies.reload(), 'unchanged')
  t.equal(policies.served.candidate, first.candidate)
  for (const [index, version] of policies.served.set.versions.entries()) t.equal(version, first.set.versions[index])
  await writeFile(candidate, candidateText('1.2.0'))
  t.equal(await policies.reload(), 'changed')
  t.equal(policies.served.candidate?.version, '1.2.0')
  t.equal(policies.served.candidate?.policy.version, '1.2.0')
  t.same([policies.served.digest, policies.served.since], [first.digest, first.since], 'the set is the same')
})

t.test('a bad candidate is all or nothing too, and every problem is told with its place', async (t) => {
  const { path, candidate, policies, errors } = await live(t)
  const first = policies.served
  await writeFile(candidate, candidateText('1.2.0').replaceAll('operator: equal', 'operator: resembles'))
  t.equal(await policies.reload(), 'failed')
  t.equal(policies.served, first)
  t.match(policies.failure?.error, { code: 'POLICY_INVALID', problems: [{ file: 'candidate.yaml', line: /^\d+$/ }] })
  t.match(errors, [{ code: 'POLICY_INVALID', kept: first.digest, total: /^[1-9]/ }])
  await rm(candidate)
  t.equal(await policies.reload(), 'failed')
  t.equal(policies.failure?.error.code, 'FILE_UNREADABLE')
  await writeFile(candidate, candidateText('1.1.0'))
  t.equal(await policies.reload(), 'unchanged')
  t.equal(policies.failure, undefined)
  await rm(path, { recursive: true })
  t.equal(await policies.reload(), 'failed')
  t.same(policies.reloads, { changed: 0, unchanged: 1, failed: 3 })
})

t.test('reloads that are asked for while one runs become one more after it', async (t) => {
  const { policies, candidate } = await live(t)
  const running = policies.reload()
  await writeFile(candidate, candidateText('1.3.0'))
  const more = [policies.reload(), policies.reload(), policies.reload()]
  await Promise.all([running, ...more])
  t.equal(policies.served.candidate?.version, '1.3.0', 'the last sees what was there when it was asked for')
  const { changed, unchanged, failed } = policies.reloads
  t.ok(changed + unchanged + failed <= 2)
})

t.test('a thread that dies is told, and the next reload has another', async (t) => {
  const { policies, thread } = await live(t)
  const running = policies.reload()
  await new Promise((resolve) => setImmediate(resolve))
  await thread.close()
  t.equal(await running, 'failed')
  t.equal(policies.failure?.error.code, 'INTERNAL')
  t.equal(await policies.reload(), 'unchanged')
})
