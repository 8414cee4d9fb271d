import { chmod, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { TestImage } from '../images/linux-images.ts'
import { type attestations, attested, check, sha256 } from './check.ts'
import { expectedOf, judged } from './expected.ts'

/** Where images are built and how they are checked. */
export interface Bench {
  readonly folder: string
  /** The image that faults are made of. */
  readonly good: string
  readonly attest?: keyof typeof attestations
  readonly args?: readonly string[]
}

/** Builds an image, checks it, and compares the whole verdict and the image's bytes before and after. */
export async function holds(t: Test, image: TestImage, bench: Bench): Promise<void> {
  const path = join(bench.folder, image.name)
  await image.build(path, bench.good)
  try {
    await chmod(path, 0o644)
    const before = await sha256(path)
    const attest = bench.attest === undefined ? [] : ['--attest', await attested(bench.folder, bench.attest)]
    const { code, verdict } = await check(path, [...attest, ...(bench.args ?? [])])
    const expected = await expectedOf(image.name)
    t.same(judged(verdict), expected, `${image.requirement}: ${image.name}`)
    const codes = { ready: 0, ready_with_warnings: 0, not_ready: 1, undetermined: 2 }
    t.equal(code, codes[verdict.outcome], 'the exit code tells the outcome')
    t.equal(await sha256(path), before, 'not a byte of the image changed')
  } finally {
    await rm(path, { force: true })
  }
}
