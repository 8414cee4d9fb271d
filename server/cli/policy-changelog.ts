import type { PolicyDiff } from '../documents/policy-diff.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import { markdownCode, markdownText } from './markdown-text.ts'
import { changeMeaning, changeText, countsText } from './policy-diff-text.ts'

/** The changelog's file name, in the policies' folder. */
export const changelogFile = 'CHANGELOG.md'

const opening = `# Changes of the policies

One entry a release, newest first. \`imagegate policy release\` writes it from what the change means; text may be added.
`

function heading({ family, version }: Pick<ReleasedPolicy, 'family' | 'version'>): string {
  return `## ${family} ${version}`
}

function summary(diff: PolicyDiff): string[] {
  const { before, required, rules, parameters, members } = diff
  const what = required === 'none' ? 'Nothing that a document could tell changes' : `A ${required} change`
  return [
    `${what} from ${before.version}: ${countsText(diff)}.`,
    '',
    ...rules.map(({ rule, change, members: names }) => {
      const where = names.length === 0 ? '' : ` (${names.map(markdownText).join(', ')})`
      return `- ${markdownCode(rule)}: ${change}, ${changeMeaning[change]}${where}`
    }),
    ...parameters.map((one) => `- Parameter ${markdownCode(one.name)}: ${markdownText(changeText(one))}`),
    ...members.filter(({ member }) => member !== 'effectiveFrom').map(({ member }) => `- Changed: ${member}`),
  ]
}

/** The entry of a release: its date (of the form 2026-11-22), and what changed since the version before it, if there is one. */
export function releaseEntry(policy: ReleasedPolicy, diff: PolicyDiff | undefined, date: string): string {
  const lines = diff === undefined ? [`The first release, with ${policy.policy.rules.length} rules.`] : summary(diff)
  return [`${heading(policy)} – ${date}`, '', `In force from ${policy.effectiveFrom}.`, ...lines].join('\n').trimEnd()
}

/** A changelog with an entry as its newest; the same when it has one for this version, which may be its author's. */
export function withEntry(changelog: string | undefined, policy: ReleasedPolicy, entry: string): string {
  const text = changelog ?? opening
  const own = heading(policy)
  if (text.split('\n').some((line) => line === own || line.startsWith(`${own} `))) return text
  const first = text.search(/^## /m)
  if (first === -1) return `${text.trimEnd()}\n\n${entry}\n`
  return `${text.slice(0, first)}${entry}\n\n${text.slice(first)}`
}
