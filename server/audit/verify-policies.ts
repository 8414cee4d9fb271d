import { sha256 } from '../digest.ts'
import type { Verdict } from '../documents/verdict.ts'
import { isObject } from '../facts/pointer.ts'
import { readYaml } from '../policy/yaml-text.ts'
import type { AuditSnapshot } from './snapshot.ts'
import type { AuditProblem, AuditProblems } from './verify-problems.ts'

type Place = Pick<AuditProblem, 'tenant' | 'sequence' | 'verdict'>

interface Use extends Place {
  readonly digest: string
  readonly family: string
  readonly version: string
}

/** The policies that verdicts were judged by, each with the first verdict that names it; few, however many verdicts. */
export class PolicyUses {
  readonly #uses = new Map<string, Use>()

  add({ policy, alternatives }: Verdict, place: Place): void {
    for (const { digest, family, version } of [policy, ...alternatives.map((one) => one.policy)]) {
      const key = `${digest} ${family} ${version}`
      const known = this.#uses.get(key)
      const earlier = known?.tenant === place.tenant && (place.sequence ?? Infinity) < (known?.sequence ?? Infinity)
      if (known === undefined || earlier) this.#uses.set(key, { digest, family, version, ...place })
    }
  }

  /** Where a policy was used first. */
  firstOf(digest: string): Place | undefined {
    for (const { digest: own, tenant, sequence, verdict } of this.#uses.values()) {
      if (own !== digest) continue
      return {
        ...(tenant === undefined ? {} : { tenant }),
        ...(sequence === undefined ? {} : { sequence }),
        ...(verdict === undefined ? {} : { verdict }),
      }
    }
    return undefined
  }

  [Symbol.iterator](): Iterator<Use> {
    return this.#uses.values()
  }
}

function unlike(body: string, said: Readonly<Record<string, string>>): string[] {
  const { value } = readYaml(body)
  return Object.keys(said).filter((name) => !isObject(value) || value[name] !== said[name])
}

/** Checks that every kept policy is what its digest, family and version say, and that every one that was used is kept. */
export async function walkPolicies(snapshot: AuditSnapshot, uses: PolicyUses, problems: AuditProblems): Promise<void> {
  const kept = new Map<string, { readonly family: string; readonly version: string }>()
  const rows = snapshot.rows((db) => db.selectFrom('policy_bodies').selectAll().orderBy('digest'), 20)
  for await (const { digest, family, version, body } of rows) {
    kept.set(digest, { family, version })
    const differs = sha256(body) === digest ? unlike(body, { family, version }) : ['body']
    if (differs.length === 0) continue
    const message = `The policy kept as ${family} ${version}, ${digest}, is another: its digest is ${sha256(body)}.`
    problems.add({ kind: 'changed', where: 'policy_bodies', ...uses.firstOf(digest), differs, message })
  }
  for (const { digest, family, version, ...place } of uses) {
    if (kept.has(digest)) continue
    const message = `The policy ${family} ${version}, ${digest}, by which it was judged, is not there.`
    problems.add({ kind: 'removed', where: 'policy_bodies', ...place, differs: [], message })
  }
}
