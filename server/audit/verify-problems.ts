import type { Verification } from '../documents/verification.ts'

/** One thing that is not as it was recorded. */
export type AuditProblem = Readonly<Verification['problems'][number]>

/** What became of a record, in the order in which it is blamed. */
export type ProblemKind = AuditProblem['kind']

const kinds: readonly ProblemKind[] = ['changed', 'removed', 'added', 'reordered']

/** So many problems are named; the total is always told. */
export const namedProblems = 100

/** Texts in the order of their code units, what is absent last. */
function compare<T extends string | number>(left: T | undefined, right: T | undefined): number {
  if (left === right) return 0
  if (left === undefined) return 1
  if (right === undefined) return -1
  return left < right ? -1 : 1
}

/** Orders problems by place: tenant, sequence number, what became of the record. */
function inOrder(left: AuditProblem, right: AuditProblem): number {
  return (
    compare(left.tenant, right.tenant) ||
    compare(left.sequence, right.sequence) ||
    kinds.indexOf(left.kind) - kinds.indexOf(right.kind)
  )
}

/** Counts problems and keeps the first hundred by their place, in whatever order they are found. */
export class AuditProblems {
  readonly #named: AuditProblem[] = []
  readonly #kinds = new Map<ProblemKind, number>()
  readonly #tenants = new Map<string, number>()
  #total = 0

  add(problem: AuditProblem): void {
    this.#total += 1
    this.#kinds.set(problem.kind, (this.#kinds.get(problem.kind) ?? 0) + 1)
    if (problem.tenant !== undefined) this.#tenants.set(problem.tenant, this.of(problem.tenant) + 1)
    const last = this.#named.at(-1)
    if (this.#named.length === namedProblems && last !== undefined && inOrder(problem, last) >= 0) return
    const at = this.#named.findIndex((one) => inOrder(problem, one) < 0)
    this.#named.splice(at === -1 ? this.#named.length : at, 0, problem)
    this.#named.length = Math.min(this.#named.length, namedProblems)
  }

  /** How many there are in all. */
  get total(): number {
    return this.#total
  }

  /** How many belong to a tenant. */
  of(tenant: string): number {
    return this.#tenants.get(tenant) ?? 0
  }

  /** How many of each kind, none of which is 0. */
  get byKind(): Readonly<Partial<Record<ProblemKind, number>>> {
    return Object.fromEntries(kinds.flatMap((kind) => (this.#kinds.has(kind) ? [[kind, this.#kinds.get(kind)]] : [])))
  }

  /** The first by place. */
  get named(): readonly AuditProblem[] {
    return this.#named
  }
}
