import { readdir } from 'node:fs/promises'
import t from 'tap'
import type { FactDocument } from '../../server/documents/facts.ts'
import type { Condition, Rule } from '../../server/documents/policy.ts'
import type { Options } from '../../server/documents/verdict.ts'
import { resultOfRule } from '../../server/evaluation/evaluate.ts'
import { isObject, pointerTo, pointerTokens, resolveTokens } from '../../server/facts/pointer.ts'
import { compilePolicy } from '../../server/policy/program.ts'
import { conditionTrees } from '../../server/policy/reference.ts'
import { policies, readFacts, top } from '../policies/shipped.ts'

/** Pointers of every object member and every list, at any depth; elements of lists are not removed. */
function removable(value: unknown, pointer: string, found: string[] = []): string[] {
  if (Array.isArray(value))
    for (const [index, inner] of value.entries()) removable(inner, pointerTo(pointer, index), found)
  if (!isObject(value)) return found
  for (const [name, inner] of Object.entries(value)) {
    if (pointer === '' && (name === 'schema' || name === 'collection')) continue
    found.push(pointerTo(pointer, name))
    removable(inner, pointerTo(pointer, name), found)
  }
  return found
}

/** Runs an action with a member taken out of the document in place, and puts it back. */
function without<T>(document: FactDocument, pointer: string, action: () => T): T {
  const tokens = pointerTokens(pointer)
  const name = tokens.pop() ?? ''
  const parent = resolveTokens(document, tokens)
  if (!isObject(parent) || !(name in parent)) return action()
  const { [name]: value } = parent
  delete parent[name]
  try {
    return action()
  } finally {
    parent[name] = value
  }
}

function readBy(condition: Condition, list = ''): string[] {
  if ('all' in condition) return condition.all.flatMap((child) => readBy(child, list))
  if ('any' in condition) return condition.any.flatMap((child) => readBy(child, list))
  if ('not' in condition) return readBy(condition.not, list)
  if (condition.fact === 'count') return [condition.params.of, ...readBy(condition.params.where, condition.params.of)]
  return [condition.fact === 'element' ? `${list}/*${condition.path}` : `/${condition.fact}${condition.path}`]
}

/** The members of this document that a rule can read. */
function membersReadBy(rule: Rule, members: readonly string[]): string[] {
  const places = new Set(conditionTrees(rule).flatMap(([, tree]) => readBy(tree)))
  return members.filter((member) => {
    const place = member.replaceAll(/\/\d+(?=\/)/g, '/*')
    return [...places].some((read) => read === place || read.startsWith(`${place}/`))
  })
}

const examples = (await readdir(new URL('examples/', top), { recursive: true }))
  .filter((name) => name.endsWith('.json'))
  .sort()
const requests: readonly Options[] = [
  { importAs: 'none', systemDisk: { requested: false } },
  { importAs: 'others-linux', systemDisk: { requested: false } },
  { importAs: 'customized-linux', systemDisk: { requested: true, sizeBytes: 64 * 2 ** 30 } },
]

for (const example of examples) {
  t.test(`examples/${example}: taking facts away leaves a result or makes it unknown`, async (t) => {
    const document = await readFacts(`examples/${example}`)
    const members = removable(document, '')
    let single = 0
    let pairs = 0
    for (const { policy } of policies.versions) {
      const program = compilePolicy(policy)
      for (const request of requests) {
        const scope = { facts: document, request, parameters: program.parameters }
        for (const compiled of program.rules) {
          const whole = resultOfRule(compiled, scope)
          const check = (removed: readonly string[]) => {
            const result = resultOfRule(compiled, scope)
            if (result !== whole && result !== 'unknown')
              t.fail(`${compiled.rule.id} was ${whole} and is ${result}`, { removed })
          }
          for (const member of members) {
            single += 1
            without(document, member, () => check([member]))
          }
          if (request.importAs === 'others-linux') continue
          const read = membersReadBy(compiled.rule, members)
          for (const [index, one] of read.entries()) {
            for (const other of read.slice(index + 1)) {
              pairs += 1
              without(document, one, () => without(document, other, () => check([one, other])))
            }
          }
        }
      }
    }
    t.ok(single > 0 && pairs > 0, `${single} single removals and ${pairs} pairs were tried`)
  })
}

t.ok(examples.length >= 8, 'there are examples to try')
