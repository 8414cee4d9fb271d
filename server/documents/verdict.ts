/* Generated from schemas/verdict.schema.json by npm run types. */

/**
 * A scalar or a list of scalars.
 */
export type ComparedValue = string | number | boolean | (string | number)[]

/**
 * The answer to one evaluation. A recorded verdict is answered in its canonical form (RFC 8785), so that the SHA-256 of the body is the record's digest. id, tenant and recordedAt are there only when it was recorded.
 */
export interface Verdict {
  /**
   * Kind and major version.
   */
  schema: 'imagegate.verdict/1'
  /**
   * UUID version 7.
   */
  id?: string
  /**
   * Whose record it is.
   */
  tenant?: string
  /**
   * When it was recorded. RFC 3339, UTC.
   */
  recordedAt?: string
  /**
   * Who asked for it, and by which request; only when it was recorded, and absent in verdicts recorded before callers had names.
   */
  submittedBy?: {
    /**
     * anonymous, key: with the id of an API key, or token: with the subject of a bearer token.
     */
    caller: string
    /**
     * As in the X-Request-Id header of the answer and in the log. A UUID.
     */
    requestId: string
  }
  /**
   * The instant at which policies were selected. RFC 3339, UTC.
   */
  asOf: string
  /**
   * not_ready: a blocking rule failed. undetermined: none failed, and one is unknown. ready_with_warnings: a warning rule failed or is unknown. ready: nothing of that.
   */
  outcome: 'ready' | 'ready_with_warnings' | 'undetermined' | 'not_ready'
  /**
   * Number of rules by result, and of findings by effect.
   */
  counts: {
    /**
     * Number of rules of the policy.
     */
    rules: number
    /**
     * Number of findings with result pass.
     */
    pass: number
    /**
     * Number of findings with result fail.
     */
    fail: number
    /**
     * Number of findings with result unknown.
     */
    unknown: number
    /**
     * Number of findings with result not_applicable.
     */
    not_applicable: number
    /**
     * Number of findings with effect block.
     */
    block: number
    /**
     * Number of findings with effect warn.
     */
    warn: number
    /**
     * Number of findings with effect inform.
     */
    inform: number
  }
  /**
   * What was judged, as the facts name it.
   */
  subject: {
    /**
     * As given.
     */
    imageName?: string
    /**
     * As given.
     */
    imageDigest?: string
    /**
     * As given.
     */
    osType?: 'windows' | 'linux' | 'freebsd'
    /**
     * As given.
     */
    osId?: string
    /**
     * Linux and FreeBSD: the release. Windows: NT version and build.
     */
    osVersion?: string
  }
  /**
   * SHA-256 of the canonical form of the sections alone.
   */
  factsDigest: string
  /**
   * SHA-256 of the canonical form of the whole fact document.
   */
  documentDigest: string
  policy: Policy
  options: Options
  /**
   * Generation of the evaluator; raised only when findings could differ.
   */
  evaluator: number
  /**
   * Every rule of the policy, in its order.
   *
   * @minItems 1
   * @maxItems 256
   */
  findings: Finding[]
  /**
   * Rules that failed, in the order in which their remediation should be done.
   *
   * @maxItems 256
   *
   * Items: Its id.
   */
  remediationOrder: string[]
  /**
   * What to collect, in policy order.
   *
   * @maxItems 4096
   */
  missing: MissingFact[]
  /**
   * Given whenever the distribution-list rule fails.
   *
   * @maxItems 2
   */
  alternatives: Alternative[]
  /**
   * Request parameters of the cloud's ImportImage call, as far as the facts determine them, by their own names.
   */
  importParameters: {
    /**
     * Operating-system type.
     */
    OSType?: 'linux' | 'windows'
    /**
     * Platform name in the cloud's spelling.
     */
    Platform?: string
    /**
     * System architecture.
     */
    Architecture?: 'x86_64' | 'i386' | 'arm64'
    /**
     * Boot mode, where only one is possible.
     */
    BootMode?: 'BIOS' | 'UEFI'
    /**
     * Container format.
     */
    'DiskDeviceMapping.1.Format'?: 'RAW' | 'QCOW2' | 'VHD'
    /**
     * System disk size. Unit: GiB. The requested one, else the recommended one.
     */
    'DiskDeviceMapping.1.DiskImageSize'?: number
  }
}
/**
 * Which policy judged, and why that one.
 */
export interface Policy {
  /**
   * Its family.
   */
  family: 'windows-server' | 'linux' | 'nonstandard-linux' | 'unidentified'
  /**
   * Its version.
   */
  version: string
  /**
   * SHA-256 of the policy file.
   */
  digest: string
  /**
   * pin: the version was asked for. asOf: the one in force at the given instant. now: the one in force when evaluated.
   */
  selectedBy: 'pin' | 'asOf' | 'now'
}
/**
 * The resolved options, as rules read them under the name request.
 */
export interface Options {
  /**
   * none, or the non-standard type that was chosen.
   */
  importAs: 'none' | 'others-linux' | 'customized-linux'
  /**
   * The size that will be asked for.
   */
  systemDisk: {
    /**
     * Whether a size was given.
     */
    requested: boolean
    /**
     * The requested size; only when requested. Unit: bytes.
     */
    sizeBytes?: number
  }
}
/**
 * One rule's result.
 */
export interface Finding {
  /**
   * Its id.
   */
  rule: string
  /**
   * Ids of the source's statements.
   *
   * @minItems 1
   * @maxItems 8
   *
   * Items: One id.
   */
  requirements: string[]
  /**
   * The requirement in a short sentence.
   */
  title: string
  /**
   * What the rule says of these facts.
   */
  result: 'pass' | 'fail' | 'unknown' | 'not_applicable'
  /**
   * What a fail of this rule does to the outcome.
   */
  severity: 'block' | 'warn' | 'inform'
  /**
   * What this result does to the outcome.
   */
  effect: 'none' | 'inform' | 'warn' | 'block'
  /**
   * What was found and what was expected.
   */
  message?: string
  remediation?: Remediation
  /**
   * For an unknown: how to obtain what is missing.
   */
  collect?: string
  /**
   * The comparisons that decided it; left out of a pass.
   *
   * @maxItems 4096
   */
  evidence?: Evidence[]
}
/**
 * What to do, with the image's own values in it.
 */
export interface Remediation {
  /**
   * Where the work is done.
   */
  stage: 'guest' | 'disk' | 'container' | 'request'
  /**
   * In order.
   *
   * @minItems 1
   * @maxItems 12
   *
   * Items: One step.
   */
  steps: string[]
  /**
   * Values are quoted for the shell.
   */
  command?: string
  /**
   * The shell the command is written for.
   */
  shell?: 'posix' | 'powershell'
}
/**
 * One comparison that decided the result.
 */
export interface Evidence {
  /**
   * Where the value stands in the fact document; below /request or /parameters for options and parameters.
   */
  pointer: string
  /**
   * The comparison's operator; for a count, count and the operator.
   */
  operator: string
  /**
   * For a count: which elements were counted.
   */
  where?: string
  /**
   * The value compared with; left out when it is itself absent.
   */
  expected?: string | number | boolean | (string | number)[]
  /**
   * The pointer that the expected value was read from.
   */
  expectedFrom?: string
  /**
   * The value found. At most 1024 bytes; longer ones are cut and marked. For an undecided count the bounds atLeast and atMost.
   */
  observed?: ComparedValue | Interval
  /**
   * True when there was no value.
   */
  absent?: true
  /**
   * True when the observed value was cut.
   */
  truncated?: true
  /**
   * Pointers of the elements that were certainly counted.
   *
   * @maxItems 1024
   *
   * Items: Its pointer.
   */
  selected?: string[]
  /**
   * Pointers of the elements that may count.
   *
   * @maxItems 1024
   *
   * Items: Its pointer.
   */
  undecided?: string[]
  /**
   * Whether the comparison holds.
   */
  holds: 'true' | 'false' | 'unknown'
}
/**
 * Bounds of a count with undecided elements.
 */
export interface Interval {
  /**
   * Elements that certainly count.
   */
  atLeast: number
  /**
   * Those and the undecided ones.
   */
  atMost: number
}
/**
 * A fact without which a blocking or warning rule stays unknown.
 */
export interface MissingFact {
  /**
   * Where the fact would stand.
   */
  pointer: string
  /**
   * The rules that wait for it.
   *
   * @minItems 1
   * @maxItems 256
   *
   * Items: One rule.
   */
  rules: {
    /**
     * Its id.
     */
    rule: string
    /**
     * True when this fact is all that the rule waits for.
     */
    alone: boolean
  }[]
  /**
   * How to obtain it.
   */
  collect: string
  /**
   * The collector's reason code, when it gave one.
   */
  code?: string
  /**
   * The collector's own reason, escaped.
   */
  reason?: string
}
/**
 * What a non-standard type would answer.
 */
export interface Alternative {
  /**
   * The type.
   */
  importAs: 'others-linux' | 'customized-linux'
  /**
   * The policy that judged.
   */
  policy: {
    /**
     * Its family.
     */
    family: 'windows-server' | 'linux' | 'nonstandard-linux' | 'unidentified'
    /**
     * Its version.
     */
    version: string
    /**
     * SHA-256 of the policy file.
     */
    digest: string
  }
  /**
   * Its outcome.
   */
  outcome: 'ready' | 'ready_with_warnings' | 'undetermined' | 'not_ready'
  /**
   * Rules that failed or are unknown.
   *
   * @maxItems 256
   *
   * Items: One rule.
   */
  notPassed: {
    /**
     * Its id.
     */
    rule: string
    /**
     * fail or unknown.
     */
    result: 'fail' | 'unknown'
    /**
     * What it does to the outcome.
     */
    effect: 'inform' | 'warn' | 'block'
  }[]
}
