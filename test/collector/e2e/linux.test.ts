import { join } from 'node:path'
import t from 'tap'
import { copyFile } from '../images/disk.ts'
import { craftedImages, debianImages, type TestImage } from '../images/linux-images.ts'
import { needs } from '../images/run.ts'
import type { Bench } from './judge-image.ts'
import { holds } from './judge-image.ts'
import { goodDebian, noCrafted, noDebian } from './prepared.ts'

const same = (name: string, requirement: string): TestImage => ({
  name,
  requirement,
  build: (path, good) => copyFile(good, path),
})

/** What is attested or asked for beside the usual. */
const special: Readonly<Record<string, Pick<Bench, 'attest' | 'args'>>> = {
  'system-files-modified': { attest: 'linux-modified' },
  'system-files-changed': { attest: 'linux-password', args: ['--system-files'] },
  'system-files-compared': { attest: 'linux-password', args: ['--system-files'] },
  'weak-password': { attest: 'linux-weak-password' },
}

/** The good image itself, and what only the operator's statement or option changes. */
const ofGood = [
  same('good', 'all'),
  same('system-files-compared', 'L-02'),
  same('system-files-modified', 'L-02'),
  same('weak-password', 'L-14'),
]

t.test('each fault of a Debian image changes exactly the rules that it should', { skip: noDebian }, async (t) => {
  const { folder, good } = await goodDebian(t)
  for (const image of [...ofGood, ...debianImages]) {
    const skip = needs(image.programs ?? [])
    await t.test(`${image.requirement}: ${image.name}`, { skip }, (t) =>
      holds(t, image, { folder, good, attest: 'linux', ...special[image.name] }),
    )
  }
})

t.test('crafted systems of other distributions are judged in full', { skip: noCrafted }, async (t) => {
  const folder = t.testdir()
  for (const image of craftedImages) {
    const skip = needs(image.programs ?? [])
    await t.test(`${image.requirement}: ${image.name}`, { skip }, (t) =>
      holds(t, image, { folder, good: join(folder, 'none'), attest: 'linux' }),
    )
  }
})
