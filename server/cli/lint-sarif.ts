import type { Linted } from '../authoring/lint.ts'
import { sha256 } from '../digest.ts'
import type { LintProblem } from '../policy/lint/head.ts'
import { lintHeads } from '../policy/lint/heads.ts'
import { programVersion } from '../version.ts'
import { safeJson } from './escape.ts'
import { sarifMessage, sarifUri } from './sarif-text.ts'

function resultOf({ file, line, column, code, severity, message, mend }: LintProblem) {
  const region = { startLine: line, startColumn: column }
  return {
    ruleId: code,
    ruleIndex: lintHeads.findIndex((head) => head.code === code),
    level: severity,
    message: sarifMessage(`${message} ${mend}`),
    locations: [{ physicalLocation: { artifactLocation: { uri: sarifUri(file) }, region } }],
    // Without the line, so that text above it does not make another problem of it.
    partialFingerprints: { 'imagegateLint/v1': sha256(`${code}\n${file}\n${message}`) },
  }
}

/** Problems as one run of SARIF 2.1.0, with every code that lint has. */
export function lintSarif({ problems, files }: Linted): string {
  const rules = lintHeads.map(({ code, severity, says, mend }) => ({
    id: code,
    shortDescription: { text: says },
    help: { text: mend },
    defaultConfiguration: { level: severity },
  }))
  const run = {
    tool: { driver: { name: 'imagegate', version: programVersion(), rules } },
    invocations: [{ executionSuccessful: true }],
    artifacts: files.map((file) => ({ location: { uri: sarifUri(file) } })),
    results: problems.map(resultOf),
    columnKind: 'utf16CodeUnits',
  }
  const report = { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] }
  return `${safeJson(JSON.stringify(report, undefined, 2))}\n`
}
