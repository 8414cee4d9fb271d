/* Generated from schemas/policy.schema.json by npm run types. */

/**
 * A list for in and notIn.
 *
 * @minItems 1
 * @maxItems 64
 */
export type Constants = (string | number)[]
/**
 * block keeps the image from being ready, warn lets it through with a warning, inform never changes the outcome.
 */
export type Effect = 'block' | 'warn' | 'inform'
/**
 * A condition tree in json-rules-engine's format: exactly one of all, any and not, or a comparison.
 */
export type Condition = All | Any | Not | Count | Comparison
/**
 * JSON Pointer inside the fact.
 */
export type Path = string
/**
 * json-rules-engine's operators by their own names. version: compares dotted integers part by part, a missing part counting as 0; major: compares the first integer of a version.
 */
export type Operator =
  | 'equal'
  | 'notEqual'
  | 'in'
  | 'notIn'
  | 'contains'
  | 'doesNotContain'
  | 'lessThan'
  | 'lessThanInclusive'
  | 'greaterThan'
  | 'greaterThanInclusive'
  | 'version:equal'
  | 'version:lessThan'
  | 'version:lessThanInclusive'
  | 'version:greaterThan'
  | 'version:greaterThanInclusive'
  | 'major:equal'
  | 'major:in'
  | 'major:notIn'
  | 'major:lessThan'
  | 'major:lessThanInclusive'
  | 'major:greaterThan'
  | 'major:greaterThanInclusive'
/**
 * What the fact is compared with: a constant, a list for in and notIn, or a reference.
 */
export type Value = Reference | Constants | Constant
/**
 * A typed constant.
 */
export type Constant = string | number | boolean

/**
 * A versioned set of rules for one operating-system family. Immutable once released.
 */
export interface Policy {
  /**
   * Kind and major version.
   */
  schema: 'imagegate.policy/1'
  /**
   * The operating-system family; the folder's name.
   */
  family: 'windows-server' | 'linux' | 'nonstandard-linux' | 'unidentified'
  /**
   * Semantic version, quoted so that YAML keeps it a string; the file's name.
   */
  version: string
  /**
   * The policy is in force from this instant until the next version's. RFC 3339, UTC.
   */
  effectiveFrom: string
  /**
   * What the policy is about.
   */
  title: string
  /**
   * Named thresholds and sets.
   */
  parameters: {
    [k: string]: Parameter
  }
  /**
   * Types to evaluate as well when the named rule fails.
   */
  alternatives?: {
    /**
     * Its id.
     */
    whenFails: string
    /**
     * The types.
     *
     * @minItems 1
     * @maxItems 2
     *
     * Items: A non-standard type.
     */
    importAs: ('others-linux' | 'customized-linux')[]
  }
  /**
   * In the order in which findings are reported.
   *
   * @minItems 1
   * @maxItems 256
   */
  rules: Rule[]
}
/**
 * A threshold or a set.
 */
export interface Parameter {
  /**
   * An integer, a string, or a list of either.
   */
  value: Constants | (number | string)
  /**
   * bytes, characters, or what the elements of the set are.
   */
  unit: string
  /**
   * Where the figure comes from.
   */
  provenance: string
}
/**
 * One requirement.
 */
export interface Rule {
  /**
   * Unique within the policy, family first.
   */
  id: string
  /**
   * Ids of the statements of the source that it judges.
   *
   * @minItems 1
   * @maxItems 8
   *
   * Items: One id.
   */
  requirements: string[]
  /**
   * The requirement in one short sentence.
   */
  title: string
  /**
   * Where the requirement stands.
   */
  source: {
    /**
     * Its title.
     */
    document: string
    /**
     * Its date.
     */
    revision: string
    /**
     * Its section.
     */
    section: string
  }
  /**
   * How the statement was read where it leaves a choice, and where the reading departs from its letter.
   */
  interpretation?: string
  /**
   * What a fail and an unknown do to the outcome.
   */
  effect: {
    fail: Effect
    unknown: Effect
  }
  appliesWhen?: Condition
  /**
   * What to say when the rule does not apply. Same placeholders as a message.
   */
  notApplicable?: string
  conditions: Condition
  /**
   * What to say when it fails.
   *
   * @minItems 1
   * @maxItems 16
   */
  cases: Case[]
  /**
   * How to obtain the facts when they are missing.
   */
  collect: string
}
/**
 * Every child holds. Unknown when none is false and one is unknown.
 */
export interface All {
  /**
   * At least one.
   *
   * @minItems 1
   * @maxItems 64
   */
  all: Condition[]
}
/**
 * At least one child holds. Unknown when none is true and one is unknown.
 */
export interface Any {
  /**
   * At least one.
   *
   * @minItems 1
   * @maxItems 64
   */
  any: Condition[]
}
/**
 * The child does not hold; unknown stays unknown.
 */
export interface Not {
  not: Condition
}
/**
 * The number of elements of a list for which where holds, compared as an integer. An absent list makes it unknown; undecided elements make it an interval.
 */
export interface Count {
  /**
   * The reserved fact count.
   */
  fact: 'count'
  /**
   * What is counted.
   */
  params: {
    /**
     * Pointer of a list of objects in the fact document.
     */
    of: string
    where: Condition
  }
  /**
   * A numeric operator.
   */
  operator: 'equal' | 'notEqual' | 'lessThan' | 'lessThanInclusive' | 'greaterThan' | 'greaterThanInclusive'
  /**
   * Number of elements.
   */
  value: number
}
/**
 * One observed value compared with one expected value. An absent value makes it unknown.
 */
export interface Comparison {
  /**
   * A section of the fact document, request or parameters; element inside where.
   */
  fact:
    | 'image'
    | 'disk'
    | 'volumes'
    | 'os'
    | 'boot'
    | 'drivers'
    | 'files'
    | 'security'
    | 'firewall'
    | 'network'
    | 'remoteAccess'
    | 'agents'
    | 'accounts'
    | 'request'
    | 'parameters'
    | 'element'
  path: Path
  operator: Operator
  value: Value
}
/**
 * Another fact, or a parameter of this policy, as the value.
 */
export interface Reference {
  /**
   * A section of the fact document, parameters or request; element inside where.
   */
  fact:
    | 'image'
    | 'disk'
    | 'volumes'
    | 'os'
    | 'boot'
    | 'drivers'
    | 'files'
    | 'security'
    | 'firewall'
    | 'network'
    | 'remoteAccess'
    | 'agents'
    | 'accounts'
    | 'request'
    | 'parameters'
    | 'element'
  path: Path
}
/**
 * What to say when the rule fails. The first case whose when is true is taken; the last has none.
 */
export interface Case {
  when?: Condition
  /**
   * What was found, what was expected. Placeholders: {/pointer} or {/pointer|format} quotes a fact, /parameters/… a parameter and /request/… an option; {selected}, {undecided} or {selected/member} quotes the elements that the case's own when counted, else those that the deciding counts selected. Formats: bytes, list, integer, plain.
   */
  message: string
  remediation: Remediation
}
/**
 * What to do.
 */
export interface Remediation {
  /**
   * Where the work is done, in the order in which it should be done: inside the running guest, on the shut-down disk, on the container file, in the import request or the console.
   */
  stage: 'guest' | 'disk' | 'container' | 'request'
  /**
   * What to do, one step a string. Placeholders: {/pointer} or {/pointer|format} quotes a fact, /parameters/… a parameter and /request/… an option; {selected}, {undecided} or {selected/member} quotes the elements that the case's own when counted, else those that the deciding counts selected. Formats: bytes, list, integer, plain.
   *
   * @minItems 1
   * @maxItems 12
   *
   * Items: One step.
   */
  steps: string[]
  /**
   * The exact command or commands, one a line. Every placeholder is quoted for the shell.
   */
  command?: string
  /**
   * For which shell values are quoted.
   */
  shell?: 'posix' | 'powershell'
}
