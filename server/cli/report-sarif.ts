import { sha256 } from '../digest.ts'
import type { Finding, Verdict } from '../documents/verdict.ts'
import { errorKinds, type ImagegateError } from '../errors.ts'
import { programVersion } from '../version.ts'
import { safeJson } from './escape.ts'
import { evidenceText } from './evidence-text.ts'
import { stages } from './finding-lines.ts'
import { type Answer, nameOf, type Place } from './report-answer.ts'
import { sarifMessage, sarifUri } from './sarif-text.ts'

const levels = { block: 'error', warn: 'warning', inform: 'note', none: 'none' } as const
const kinds = { pass: 'pass', fail: 'fail', unknown: 'open', not_applicable: 'notApplicable' } as const

function locationOf({ file, line }: Place, finding: Finding | undefined) {
  const pointers = [...new Set(finding?.evidence?.map(({ pointer }) => pointer))].slice(0, 32)
  const region = line === undefined ? {} : { region: { startLine: line } }
  const logicalLocations = pointers.map((pointer) => ({ fullyQualifiedName: pointer, kind: 'member' }))
  return {
    physicalLocation: { artifactLocation: { uri: sarifUri(file === '-' ? 'stdin' : file) }, ...region },
    ...(logicalLocations.length === 0 ? {} : { logicalLocations }),
  }
}

function explanation({ collect, message: said, remediation, title }: Finding): string {
  if (said === undefined) return title
  if (remediation === undefined) return collect === undefined ? said : `${said} To collect: ${collect}`
  return [said, stages[remediation.stage], ...remediation.steps.map((step, index) => `(${index + 1}) ${step}`)].join(
    ' ',
  )
}

function resultOf(place: Place, verdict: Verdict, finding: Finding, ruleIndex: number) {
  const { collect, effect, evidence = [], remediation, requirements, result, rule } = finding
  return {
    ruleId: rule,
    ruleIndex,
    kind: kinds[result],
    // The format allows no level beside a kind other than fail.
    level: result === 'fail' ? levels[effect] : 'none',
    message: sarifMessage(explanation(finding)),
    locations: [locationOf(place, finding)],
    partialFingerprints: { 'imagegateRule/v1': sha256(`${rule}\n${verdict.subject.imageName ?? nameOf(place)}`) },
    properties: {
      requirements,
      effect,
      evidence: evidence.map(evidenceText),
      ...(remediation === undefined ? {} : { remediation }),
      ...(collect === undefined ? {} : { collect }),
    },
  }
}

function descriptor({ requirements, rule, severity, title }: Finding) {
  return {
    id: rule,
    shortDescription: { text: title },
    defaultConfiguration: { level: levels[severity] },
    properties: { tags: requirements },
  }
}

function problemNotification(place: Place, { code, message: detail }: ImagegateError) {
  return {
    level: 'error',
    descriptor: { id: code },
    message: sarifMessage(`${errorKinds[code].title}: ${detail}`),
    locations: [locationOf(place, undefined)],
  }
}

function missingNotifications(place: Place, { missing }: Verdict) {
  return missing.map(({ code, collect, pointer, reason }) => ({
    level: 'warning',
    ...(code === undefined ? {} : { descriptor: { id: code } }),
    message: sarifMessage(
      [`The fact ${pointer} is missing.`, reason, `To collect: ${collect}`]
        .filter((part) => part !== undefined)
        .join(' '),
    ),
    locations: [locationOf(place, undefined)],
  }))
}

function artifact({ place: { file }, verdict }: Answer) {
  const [algorithm, hash] = verdict?.subject.imageDigest?.split(':') ?? []
  const hashes = algorithm === 'sha256' && hash !== undefined ? { hashes: { 'sha-256': hash } } : {}
  return { location: { uri: sarifUri(file === '-' ? 'stdin' : file) }, ...hashes }
}

/**
 * Answers as one run of SARIF 2.1.0: every rule of every verdict is a result, a pass, an unknown (open) and one that does not apply among
 * them; missing facts and inputs that could not be judged are notifications.
 */
export function sarifReport(answers: readonly Answer[]): string {
  const rules = new Map<string, { index: number; finding: Finding }>()
  for (const finding of answers.flatMap(({ verdict }) => verdict?.findings ?? [])) {
    if (!rules.has(finding.rule)) rules.set(finding.rule, { index: rules.size, finding })
  }
  const results = answers.flatMap(({ place, verdict }) =>
    verdict === undefined
      ? []
      : verdict.findings.map((one) => resultOf(place, verdict, one, rules.get(one.rule)?.index ?? -1)),
  )
  const notifications = answers.flatMap(({ place, verdict, error }) =>
    verdict === undefined ? [problemNotification(place, error)] : missingNotifications(place, verdict),
  )
  const descriptors = [...rules.values()].map(({ finding }) => descriptor(finding))
  const report = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: { name: 'imagegate', version: programVersion(), rules: descriptors },
        },
        invocations: [
          {
            executionSuccessful: answers.every(({ error }) => error === undefined),
            toolExecutionNotifications: notifications,
          },
        ],
        artifacts: [...new Map(answers.map((answer) => [answer.place.file, artifact(answer)])).values()],
        results,
        columnKind: 'utf16CodeUnits',
      },
    ],
  }
  return `${safeJson(JSON.stringify(report, undefined, 2))}\n`
}
