import t from 'tap'
import { checkSignature, faultOfProof } from '../../server/audit/chain.ts'
import { matches } from '../../server/schemas.ts'
import { checkpointKeys, facts, json, problem, stage } from './support.ts'

const { publicKey } = checkpointKeys

t.test('proofs and checkpoints', async (t) => {
  const { app, store, checkpoints, close } = await stage(t.testdir())
  t.teardown(close)
  const get = (url: string) => app.inject({ url })
  const evaluate = async (name: string) => {
    const answer = await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body: facts(name) })
    t.equal(answer.statusCode, 201)
    const { id }: { id: string } = answer.json()
    return { id, body: answer.body }
  }

  await t.test('before a checkpoint covers the verdict, the answer says when to ask again', async (t) => {
    const { id } = await evaluate('first')
    const answer = await get(`/v1/verdicts/${id}/proof`)
    t.equal(answer.statusCode, 409)
    t.match(problem(answer), { code: 'PROOF_PENDING', detail: /no checkpoint covers it yet/ })
    t.equal(answer.headers['retry-after'], '30')
    t.same((await get('/v1/checkpoints')).json(), { checkpoints: [] })
  })

  await t.test('afterwards the proof holds, of this verdict as it was answered and of no other', async (t) => {
    const one = await evaluate('one')
    const other = await evaluate('other')
    await checkpoints.cover()
    const proof: unknown = (await get(`/v1/verdicts/${one.id}/proof`)).json()
    if (!matches('proof', proof)) throw new Error('It is no proof.')
    t.equal(proof.entry.verdictId, one.id)
    t.equal(faultOfProof(proof, [publicKey], one.body), undefined)
    t.equal(typeof faultOfProof(proof, [publicKey], other.body), 'string')
  })

  await t.test('what is not recorded has no proof', async (t) => {
    const answer = await get('/v1/verdicts/01939c5e-7f4e-7cc2-9d5e-0f5a4e6b7c8d/proof')
    t.equal(answer.statusCode, 404)
    t.equal(problem(answer).code, 'VERDICT_NOT_FOUND')
  })

  await t.test('the list of checkpoints goes on where its last page ended, without gaps', async (t) => {
    for (const name of ['a', 'b', 'c']) {
      await evaluate(name)
      await checkpoints.cover()
    }
    let sequence = 0
    for (let url: string | undefined = '/v1/checkpoints?limit=2'; url !== undefined; ) {
      const answer = await get(url)
      const page: { checkpoints: unknown[]; next?: string } = answer.json()
      for (const one of page.checkpoints) {
        if (!matches('checkpoint', one)) throw new Error('It is no checkpoint.')
        t.equal(one.from, sequence + 1)
        t.equal(checkSignature(one, [publicKey]), 'valid')
        sequence = one.sequence
      }
      url = /<(.*)>; rel="next"/.exec(String(answer.headers.link))?.[1]
      t.equal(url === undefined, page.next === undefined)
    }
    t.equal(sequence, (await store.entries('default', 0, 500)).length)
    t.equal((await get('/v1/checkpoints?after=x')).statusCode, 400)
    t.equal((await get('/v1/checkpoints?limit=500')).statusCode, 400)
  })

  await t.test('metrics tell how far the chain goes, and readiness does not', async (t) => {
    const { body } = await get('/metrics')
    for (const line of [
      'imagegate_chain_unsealed 0',
      'imagegate_checkpoint_covered 6',
      'imagegate_checkpoint_uncovered 0',
      'imagegate_checkpoint_signing 1',
      'imagegate_checkpoints_total 4',
      'imagegate_checkpoint_failures_total 0',
    ]) {
      t.ok(body.split('\n').includes(line), line)
    }
    t.match(body, /^imagegate_checkpoint_age_seconds [0-9.e-]+$/m)
    t.same(
      Object.keys((await get('/health/ready')).json()),
      ['status', 'policies'],
      'the public is not told of verdicts',
    )
  })
})
