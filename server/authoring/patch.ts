import { applyPatch, type Operation } from 'rfc6902'
import type { Case } from '../documents/policy-test.ts'

type Step = Case['patch'][number]

function operation(step: Step): Operation {
  const { op, path } = step
  if (op === 'remove') return { op, path }
  if (op === 'move' || op === 'copy') {
    if (step.from === undefined) throw new RangeError(`${op} ${path} needs from.`)
    return { op, path, from: step.from }
  }
  if (!('value' in step)) throw new RangeError(`${op} ${path} needs a value.`)
  return { op, path, value: structuredClone(step.value) }
}

/** A copy of a document with a JSON Patch (RFC 6902) applied. Throws an Error that names the step which does not fit. */
export function patched(document: unknown, patch: readonly Step[]): unknown {
  const copy: unknown = structuredClone(document)
  for (const [index, step] of patch.entries()) {
    const [failed] = applyPatch(copy, [operation(step)])
    if (failed) throw new Error(`Step ${index + 1} of the patch, ${step.op} ${step.path}: ${failed.message}.`)
  }
  return copy
}
