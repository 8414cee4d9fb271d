import { folderRules } from './folder-rules.ts'
import type { Head } from './head.ts'
import { lockHead, missingLockHead } from './lock-file.ts'
import { policyRules } from './policy-rules.ts'
import { engineHead, profileHeads } from './profile-heads.ts'
import { requirementsHeads } from './requirements.ts'
import { schemaHeads } from './schema-heads.ts'

/** All that lint can find. */
export const lintHeads: readonly Head[] = [
  ...Object.values(schemaHeads),
  ...profileHeads,
  engineHead,
  ...policyRules.map(({ head }) => head),
  ...Object.values(requirementsHeads),
  lockHead,
  missingLockHead,
  ...folderRules.map(({ head }) => head),
]
