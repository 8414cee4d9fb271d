import { newIdentity, type VerdictIdentity } from '../../server/audit/identity.ts'
import type { PolicyBody, RecordedVerdict, VerdictRecord } from '../../server/audit/store.ts'
import { canonicalize, sha256 } from '../../server/digest.ts'
import type { Finding, MissingFact, Verdict } from '../../server/documents/verdict.ts'

/** What a test wants of a record; the rest is plausible. */
export interface RecordWishes {
  readonly tenant?: string
  readonly identity?: VerdictIdentity
  readonly outcome?: Verdict['outcome']
  readonly family?: Verdict['policy']['family']
  readonly version?: string
  readonly subject?: Verdict['subject']
  /** Ids of rules that failed. */
  readonly failed?: readonly string[]
  /** Ids of rules that failed and only warn. */
  readonly warned?: readonly string[]
  /** Ids of rules that are unknown. */
  readonly unknown?: readonly string[]
  /** Pointers of missing facts. */
  readonly missing?: readonly string[]
  /** Makes the fact document different from all others. */
  readonly facts?: string
  readonly submittedBy?: Verdict['submittedBy']
  readonly idempotency?: { readonly key: string; readonly fingerprint: string }
}

/** Who submits what tests record. */
export const submittedBy = { caller: 'key:test', requestId: '3f0e4c1a-6c1d-4a53-9d0e-0f5a4e6b7c8d' }

const rules = Array.from({ length: 45 }, (_, index) => `linux.area-${index % 7}.rule-${index}`)

/** A record as the use case would make it, of a verdict that fits its schema. */
export function makeRecord(wishes: RecordWishes = {}): VerdictRecord {
  const document = canonicalize(factDocument(wishes.facts ?? 'one'))
  const policy = policyBody(wishes.family ?? 'linux', wishes.version ?? '1.0.0')
  const verdict = makeVerdict(wishes, sha256(document), policy)
  const body = canonicalize(verdict)
  return {
    verdict,
    body,
    recordDigest: sha256(body),
    document,
    policies: [policy],
    ...(wishes.idempotency && { idempotency: wishes.idempotency }),
  }
}

/** An identity of a given time, RFC 3339; `order` from 0 to 0xfff tells those of one millisecond apart. */
export function identityAt(time: string, order = 0): VerdictIdentity {
  const hex = Date.parse(time).toString(16).padStart(12, '0')
  const id = `${hex.slice(0, 8)}-${hex.slice(8)}-7${order.toString(16).padStart(3, '0')}-8000-000000000000`
  return { id, recordedAt: new Date(time).toISOString() }
}

function policyBody(family: Verdict['policy']['family'], version: string): PolicyBody & Verdict['policy'] {
  const body = `schema: imagegate.policy/1\nfamily: ${family}\nversion: "${version}"\n`
  return { family, version, digest: sha256(body), body, selectedBy: 'now' }
}

function makeVerdict(wishes: RecordWishes, documentDigest: string, policy: Verdict['policy']): RecordedVerdict {
  const { id, recordedAt } = wishes.identity ?? newIdentity()
  const findings = [
    ...rules.map((rule) => finding(rule, 'pass')),
    ...(wishes.failed ?? []).map((rule) => finding(rule, 'fail')),
    ...(wishes.warned ?? []).map((rule) => ({
      ...finding(rule, 'fail'),
      severity: 'warn' as const,
      effect: 'warn' as const,
    })),
    ...(wishes.unknown ?? []).map((rule) => finding(rule, 'unknown')),
  ]
  const count = (result: Finding['result']) => findings.filter((each) => each.result === result).length
  return {
    schema: 'imagegate.verdict/1',
    id,
    tenant: wishes.tenant ?? 'default',
    recordedAt,
    submittedBy: wishes.submittedBy ?? submittedBy,
    asOf: recordedAt,
    outcome: wishes.outcome ?? (wishes.failed?.length ? 'not_ready' : 'ready'),
    counts: {
      rules: findings.length,
      pass: count('pass'),
      fail: count('fail'),
      unknown: count('unknown'),
      not_applicable: 0,
      block: count('fail') + count('unknown'),
      warn: 0,
      inform: 0,
    },
    subject: wishes.subject ?? { imageName: 'web-01.qcow2', osType: 'linux', osId: 'debian', osVersion: '12' },
    factsDigest: documentDigest,
    documentDigest,
    policy: { family: policy.family, version: policy.version, digest: policy.digest, selectedBy: policy.selectedBy },
    options: { importAs: 'none', systemDisk: { requested: false } },
    evaluator: 1,
    findings,
    remediationOrder: [...(wishes.failed ?? [])],
    missing: (wishes.missing ?? []).map(missingFact),
    alternatives: [],
    importParameters: { OSType: 'linux', 'DiskDeviceMapping.1.Format': 'QCOW2' },
  }
}

function finding(rule: string, result: Finding['result']): Finding {
  const base = { rule, requirements: ['L-01'], title: `The requirement of ${rule} holds`, severity: 'block' as const }
  if (result === 'pass') return { ...base, result, effect: 'none' }
  return {
    ...base,
    result,
    effect: 'block',
    message: 'The root file system has less free space than is needed.',
    evidence: [
      { pointer: '/boot/mode', operator: 'equal', absent: true, holds: result === 'fail' ? 'false' : 'unknown' },
    ],
  }
}

function missingFact(pointer: string): MissingFact {
  return { pointer, rules: [{ rule: 'linux.area-1.rule-1', alone: true }], collect: 'Run lsblk --json in the guest.' }
}

/** About 5 KB, as a collector's documents are. */
function factDocument(facts: string): object {
  const files = Array.from({ length: 60 }, (_, index) => ({
    path: `/etc/service-${index}/config`,
    present: true,
    sizeBytes: 4096 + index,
  }))
  return { schema: 'imagegate.facts/1', image: { name: facts }, files }
}
