import { secretIn } from '../facts/secrets.ts'
import type { Missing } from './part.ts'

const maxEntries = 512
const maxPointer = 1024
const maxReason = 512
const pointerForm = /^(\/([^~/]|~[01])*)*$/
const codeForm = /^[a-z][a-z0-9-]{0,63}$/

function entryOf({ pointer, code, reason }: Missing): Missing {
  const valid = pointer.isWellFormed() && pointerForm.test(pointer) && pointer.length <= maxPointer
  const safe = valid && secretIn(pointer) === undefined
  const cut = reason.slice(0, maxReason).toWellFormed()
  const withheld = secretIn(cut) === undefined ? cut : 'The reason is withheld: it looks like a secret.'
  return {
    pointer: safe ? pointer : '',
    code: codeForm.test(code) ? code : 'unreadable',
    reason: withheld === '' ? 'No reason was given.' : withheld,
  }
}

/** What is missing, within the schema's limits: each pointer and code once, with the first reason, and nothing that looks like a secret. */
export function missingEntries(given: readonly Missing[]): Missing[] {
  const found = new Map<string, Missing>()
  for (const entry of given.map(entryOf)) {
    const key = `${entry.pointer} ${entry.code}`
    if (!found.has(key)) found.set(key, entry)
  }
  const all = [...found.values()]
  if (all.length <= maxEntries) return all
  const left = all.length - maxEntries + 1
  return [
    ...all.slice(0, maxEntries - 1),
    { pointer: '', code: 'too-many', reason: `${left} more entries had no room here.` },
  ]
}
