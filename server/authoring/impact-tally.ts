import type { PolicyImpact, RuleChange } from '../documents/policy-impact.ts'
import { outcomes } from './impact-compare.ts'
import type { ItemResult, RuleMove } from './impact-item.ts'

/** What a report says before anything was counted. */
export type ImpactHead = Pick<PolicyImpact, 'candidate' | 'baseline' | 'source' | 'selection'> & {
  /** Greatest number of changed outcomes, or a share of those replayed such as 5%. */
  readonly allowed: string
}

type NotReplayed = PolicyImpact['notReplayed'][number]

function keyOf({ rule, from, to }: Pick<RuleMove, 'rule' | 'from' | 'to'>): string {
  return [rule, from?.result, from?.effect, to?.result, to?.effect].join(' ')
}

function moreFirst(left: RuleChange, right: RuleChange): number {
  if (left.decisive !== right.decisive) return right.decisive - left.decisive
  if (left.verdicts !== right.verdicts) return right.verdicts - left.verdicts
  return keyOf(left) < keyOf(right) ? -1 : 1
}

/** Whether more changed than is allowed, either a number or a share such as 5%. */
export function exceeds(allowed: string, { changed, replayed }: PolicyImpact['counts']): boolean {
  if (!allowed.endsWith('%')) return changed > Number(allowed)
  return changed * 100 > Number(allowed.slice(0, -1)) * replayed
}

/** Counts results one by one; what it has counted so far is a report without the list of changed verdicts. */
export class ImpactTally {
  readonly #head: ImpactHead
  readonly #counts: PolicyImpact['counts']
  readonly #versions: Map<string, number>
  readonly #outcomes: Map<string, number>
  readonly #rules: Map<string, RuleChange>
  readonly #notReplayed: Map<NotReplayed['reason'], NotReplayed>

  /** Begins at nothing, or where an earlier report ended. */
  constructor(head: ImpactHead, earlier?: PolicyImpact) {
    this.#head = head
    this.#counts = { found: 0, sampled: 0, skipped: 0, replayed: 0, changed: 0, notReplayed: 0, ...earlier?.counts }
    this.#versions = new Map(earlier?.judgedBy.map(({ version, count }) => [version, count]))
    this.#outcomes = new Map(earlier?.outcomes.map(({ from, to, count }) => [`${from} ${to}`, count]))
    this.#rules = new Map(earlier?.rules.map((rule) => [keyOf(rule), { ...rule }]))
    this.#notReplayed = new Map(earlier?.notReplayed.map((one) => [one.reason, { ...one }]))
  }

  get counts(): Readonly<PolicyImpact['counts']> {
    return this.#counts
  }

  /** Records that were looked through, in the sample or not. */
  found(count: number): void {
    this.#counts.found += count
  }

  add(result: Exclude<ItemResult, { kind: 'refused' }>): void {
    this.#counts.sampled += 1
    if (result.kind === 'skipped') this.#counts.skipped += 1
    else if (result.kind === 'not_replayed') this.#addNotReplayed(result)
    else this.#addReplayed(result)
  }

  report(): PolicyImpact {
    const { allowed, ...head } = this.#head
    const counts = { ...this.#counts }
    return {
      schema: 'imagegate.policy-impact/1',
      ...head,
      counts,
      threshold: { allowed, exceeded: exceeds(allowed, counts) },
      judgedBy: [...this.#versions]
        .map(([version, count]) => ({ version, count }))
        .sort((left, right) => (left.version < right.version ? -1 : 1)),
      outcomes: outcomes.flatMap((from) => outcomes.flatMap((to) => this.#pair(from, to))),
      rules: [...this.#rules.values()].map((rule) => ({ ...rule })).sort(moreFirst),
      notReplayed: [...this.#notReplayed.values()].map((one) => ({ ...one })),
      changed: [],
    }
  }

  #pair(from: (typeof outcomes)[number], to: (typeof outcomes)[number]): PolicyImpact['outcomes'] {
    const count = this.#outcomes.get(`${from} ${to}`)
    return count === undefined ? [] : [{ from, to, count }]
  }

  #addNotReplayed({ reason, example }: Extract<ItemResult, { kind: 'not_replayed' }>): void {
    this.#counts.notReplayed += 1
    const known = this.#notReplayed.get(reason)
    if (known === undefined) this.#notReplayed.set(reason, { reason, count: 1, example })
    else known.count += 1
  }

  #addReplayed({ version, from, to, moves }: Extract<ItemResult, { kind: 'replayed' }>): void {
    this.#counts.replayed += 1
    if (from !== to) this.#counts.changed += 1
    this.#versions.set(version, (this.#versions.get(version) ?? 0) + 1)
    this.#outcomes.set(`${from} ${to}`, (this.#outcomes.get(`${from} ${to}`) ?? 0) + 1)
    for (const { decisive, ...move } of moves) {
      const key = keyOf(move)
      const known = this.#rules.get(key) ?? { ...move, verdicts: 0, decisive: 0 }
      known.verdicts += 1
      if (decisive) known.decisive += 1
      this.#rules.set(key, known)
    }
  }
}
