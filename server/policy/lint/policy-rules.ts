import { alwaysFalse } from './always-false.ts'
import { alwaysTrue } from './always-true.ts'
import { contradiction } from './contradiction.ts'
import { duplicateRule } from './duplicate-rule.ts'
import { foreignRequirement } from './foreign-requirement.ts'
import { formatMisfit } from './format-misfit.ts'
import { impossibleDate } from './impossible-date.ts'
import { inForceTooEarly } from './in-force-too-early.ts'
import { presenceTest } from './presence-test.ts'
import { repeatedCondition } from './repeated-condition.ts'
import { repeatedRequirement } from './repeated-requirement.ts'
import { ruleNeverFails } from './rule-never-fails.ts'
import { ruleNeverPasses } from './rule-never-passes.ts'
import { shadowedCase } from './shadowed-case.ts'
import { softUnknown } from './soft-unknown.ts'
import { sourceDiffers } from './source-differs.ts'
import type { PolicyRule } from './subject.ts'
import { uncoveredRequirement } from './uncovered-requirement.ts'
import { unfinishedText } from './unfinished-text.ts'
import { unknownRequirement } from './unknown-requirement.ts'
import { unreachableCase } from './unreachable-case.ts'
import { unusedParameter } from './unused-parameter.ts'
import { valueOutOfRange } from './value-out-of-range.ts'

/** Every rule of lint that looks at one policy by itself. */
export const policyRules: readonly PolicyRule[] = [
  valueOutOfRange,
  alwaysFalse,
  contradiction,
  alwaysTrue,
  presenceTest,
  repeatedCondition,
  duplicateRule,
  ruleNeverFails,
  ruleNeverPasses,
  shadowedCase,
  unreachableCase,
  unusedParameter,
  unfinishedText,
  formatMisfit,
  unknownRequirement,
  foreignRequirement,
  repeatedRequirement,
  uncoveredRequirement,
  impossibleDate,
  sourceDiffers,
  inForceTooEarly,
  softUnknown,
]
