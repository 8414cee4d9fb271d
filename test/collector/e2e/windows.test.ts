import { join } from 'node:path'
import t from 'tap'
import type { TestImage } from '../images/linux-images.ts'
import { needs } from '../images/run.ts'
import { windowsImages, windowsPrograms } from '../images/windows-images.ts'
import { workFolder } from './check.ts'
import { holds } from './judge-image.ts'
import { collectorPrograms } from './prepared.ts'

const skip = needs([...collectorPrograms, ...windowsPrograms])
const [fresh] = windowsImages

t.test('each fault of a Windows disk changes exactly the rules that it should', { skip }, async (t) => {
  const folder = await workFolder(t)
  const modified: readonly TestImage[] =
    fresh === undefined ? [] : [{ ...fresh, name: 'windows-system-files-modified', requirement: 'W-02' }]
  for (const image of [...windowsImages, ...modified]) {
    await t.test(`${image.requirement}: ${image.name}`, (t) => {
      const attest = modified.includes(image) ? 'windows-modified' : 'windows'
      return holds(t, image, { folder, good: join(folder, 'none'), attest })
    })
  }
})
