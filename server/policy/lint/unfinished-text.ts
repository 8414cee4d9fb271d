import { textsOf } from './rule-texts.ts'
import type { PolicyRule } from './subject.ts'

const unfinished = /^\s*$|^\W*(todo|tbd|fixme|xxx|tba|n\/a|none|\?+|\.+)\W*$|\b(TODO|FIXME|TBD|XXX)\b/i

/** A text that somebody meant to write later. */
export const unfinishedText: PolicyRule = {
  head: {
    code: 'unfinished-text',
    severity: 'error',
    says: 'A text that people will read is blank, or only marks that one is missing.',
    mend: 'Write the text.',
  },
  check(subject) {
    return textsOf(subject)
      .filter(({ text }) => unfinished.test(text))
      .map(({ place }) => ({ place, message: 'This text is not written yet.' }))
  },
}
