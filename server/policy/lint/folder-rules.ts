import { changedRelease } from './changed-release.ts'
import type { FolderRule } from './folder.ts'
import { misplacedFile } from './misplaced-file.ts'
import { missingRelease } from './missing-release.ts'
import { releaseDate } from './release-date.ts'
import { repeatedRelease } from './repeated-release.ts'
import { testMisplaced } from './test-misplaced.ts'
import { testMissingBase } from './test-missing-base.ts'
import { testRepeatedName } from './test-repeated-name.ts'
import { testUnknownRule } from './test-unknown-rule.ts'
import { testUnknownVersion } from './test-unknown-version.ts'
import { unreleased } from './unreleased.ts'
import { versionOrder } from './version-order.ts'

/** Every rule of lint that looks at several files together. */
export const folderRules: readonly FolderRule[] = [
  misplacedFile,
  versionOrder,
  changedRelease,
  unreleased,
  missingRelease,
  repeatedRelease,
  releaseDate,
  testMisplaced,
  testUnknownVersion,
  testUnknownRule,
  testMissingBase,
  testRepeatedName,
]
