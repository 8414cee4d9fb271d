/** A row of verdicts; the columns beside the body repeat it for searching. */
export interface VerdictRow {
  readonly tenant: string
  readonly id: string
  readonly recorded_at: string
  readonly outcome: string
  readonly family: string
  readonly policy_version: string
  readonly policy_digest: string
  readonly os_type: string | null
  readonly os_id: string | null
  readonly os_version: string | null
  readonly image_name: string | null
  readonly image_digest: string | null
  readonly facts_digest: string
  readonly document_digest: string
  readonly record_digest: string
  readonly body: string
  readonly caller: string | null
  readonly request_id: string | null
}

/** A row of findings: a rule that did not pass. */
export interface FindingRow {
  readonly tenant: string
  readonly rule: string
  readonly result: 'fail' | 'unknown'
  readonly verdict_id: string
  readonly severity: string
  readonly effect: string
}

/** A row of finding_kinds: a severity, an effect or both of what did not pass; '' is any. */
export interface FindingKindRow {
  readonly tenant: string
  readonly severity: string
  readonly effect: string
  readonly verdict_id: string
}

/** A row of image_texts, which only SQLite has; its rowid has the order of the ids. */
interface ImageTextRow {
  readonly rowid: number
  readonly text: string
  readonly tenant: string
  readonly verdict_id: string
}

/** A row of image_trigrams, which only PostgreSQL has. */
interface ImageTrigramRow {
  readonly tenant: string
  readonly trigram: string
  readonly verdict_id: string
}

interface MissingFactRow {
  readonly tenant: string
  readonly pointer: string
  readonly verdict_id: string
}

interface FactDocumentRow {
  readonly tenant: string
  readonly digest: string
  readonly facts_digest: string
  readonly first_recorded_at: string
  readonly removed_at: string | null
  readonly removal_reason: string | null
  readonly body: string | null
}

interface PolicyBodyRow {
  readonly digest: string
  readonly family: string
  readonly version: string
  readonly body: string
}

interface IdempotencyKeyRow {
  readonly tenant: string
  readonly key: string
  readonly fingerprint: string
  readonly verdict_id: string
  /** Milliseconds since 1970. */
  readonly created_at: number
}

interface ShadowEvaluationRow {
  readonly tenant: string
  readonly candidate_digest: string
  readonly verdict_id: string
  readonly policy_digest: string
  readonly from_outcome: string
  readonly to_outcome: string
  readonly differing: number
  readonly differences: string
}

interface ShadowDifferenceRow {
  readonly tenant: string
  readonly candidate_digest: string
  readonly rule: string
  readonly verdict_id: string
}

interface ShadowCountRow {
  readonly tenant: string
  readonly candidate_digest: string
  readonly rule: string
  readonly from_value: string
  readonly to_value: string
  readonly evaluations: number
}

/** A row of chain: an entry of a tenant's hash chain. */
export interface ChainRow {
  readonly tenant: string
  readonly sequence: number
  readonly verdict_id: string
  readonly record_digest: string
  readonly previous_link: string
  readonly link: string
}

interface UnsealedRow {
  readonly tenant: string
  readonly verdict_id: string
  readonly record_digest: string
}

/** A row of checkpoints: a checkpoint's members. */
export interface CheckpointRow {
  readonly tenant: string
  readonly from_sequence: number
  readonly sequence: number
  readonly link: string
  readonly root: string
  readonly at: string
  readonly key: string
  readonly signature: string
}

/** A row of api_keys. */
export interface ApiKeyRow {
  readonly id: string
  readonly tenant: string
  readonly role: string
  readonly name: string
  readonly digest: string
  readonly created_at: string
  readonly expires_at: string | null
  readonly revoked_at: string | null
}

/** A row of audit_reads: a read of the audit trail. */
export interface AuditReadRow {
  readonly tenant: string
  readonly id: string
  readonly at: string
  readonly caller: string
  readonly roles: string
  readonly operation: string
  readonly verdict_id: string | null
  readonly request: string
  readonly status: number
  readonly answered: number | null
  readonly request_id: string
}

/** A row of daily_counts: how many sealed verdicts of a day have an outcome or a rule's result, or miss a fact. */
export interface DailyCountRow {
  readonly tenant: string
  /** An outcome, a rule's result, or 'missing'. */
  readonly result: string
  /** YYYY-MM-DD, in UTC. */
  readonly day: string
  /** The rule's id, the missing fact's pointer, or '' for the outcome. */
  readonly subject: string
  readonly family: string
  readonly verdicts: number
}

/** The tables that queries read, alike in every dialect; migrations/ creates them. */
export interface AuditTables {
  verdicts: VerdictRow
  findings: FindingRow
  finding_kinds: FindingKindRow
  image_texts: ImageTextRow
  image_trigrams: ImageTrigramRow
  missing_facts: MissingFactRow
  fact_documents: FactDocumentRow
  policy_bodies: PolicyBodyRow
  idempotency_keys: IdempotencyKeyRow
  shadow_evaluations: ShadowEvaluationRow
  shadow_differences: ShadowDifferenceRow
  shadow_counts: ShadowCountRow
  api_keys: ApiKeyRow
  chain: ChainRow
  unsealed: UnsealedRow
  checkpoints: CheckpointRow
  daily_counts: DailyCountRow
  audit_reads: AuditReadRow
}
