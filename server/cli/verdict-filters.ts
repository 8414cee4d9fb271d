import { type Command, Option } from 'commander'
import type { VerdictFilter } from '../audit/store.ts'
import { families } from '../policy/families.ts'

const filters = {
  from: new Option('--from <time>', 'recorded at or after: RFC 3339 in UTC, or a date'),
  to: new Option('--to <time>', 'recorded before: RFC 3339 in UTC, or a date'),
  outcome: new Option('--outcome <outcome>', 'of this outcome').choices([
    'ready',
    'ready_with_warnings',
    'undetermined',
    'not_ready',
  ]),
  family: new Option('--family <family>', 'judged by this family of policies').choices(families),
  osType: new Option('--os-type <type>', 'of this type of system').choices(['windows', 'linux', 'freebsd']),
  osId: new Option('--os-id <id>', 'of this distribution'),
  imageName: new Option('--image-name <name>', 'of images of exactly this name'),
  imageDigest: new Option('--image-digest <digest>', 'of the image with this digest'),
  policyVersion: new Option('--policy-version <version>', 'judged by this version'),
  failedRule: new Option('--failed-rule <rule>', 'in which this rule failed'),
  missingFact: new Option('--missing-fact <pointer>', 'that lack this fact'),
  severity: new Option(
    '--severity <severity>',
    'with a finding of this severity that did not pass; with --effect or --failed-rule, of the same finding',
  ).choices(['block', 'warn', 'inform']),
  effect: new Option(
    '--effect <effect>',
    'with a finding of this effect that did not pass; with --severity or --failed-rule, of the same finding',
  ).choices(['block', 'warn', 'inform', 'none']),
  caller: new Option('--caller <name>', 'that this caller submitted'),
  requestId: new Option('--request-id <id>', 'that this request submitted'),
  text: new Option('--text <text>', "with this in the image's name: 3 characters or more, A to Z in either case"),
} as const satisfies Record<keyof VerdictFilter, Option>

/** Adds an option for every filter. */
export function addFilterOptions(command: Command): Command {
  for (const option of Object.values(filters)) command.addOption(option)
  return command
}

/** A bare date is its midnight, as it is for the server. */
export function instant(text: string): string {
  return /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text
}

/** The filters that were given. */
export function filterOf(options: VerdictFilter): VerdictFilter {
  const { from: _from, to: _to, ...rest } = filters
  const plain = Object.keys(rest).flatMap((name) => {
    const value: unknown = Reflect.get(options, name)
    return value === undefined ? [] : [[name, value]]
  })
  const times = (['from', 'to'] as const).flatMap((name) => {
    const time = options[name]
    return time === undefined ? [] : [[name, instant(time)]]
  })
  return Object.fromEntries([...plain, ...times])
}
