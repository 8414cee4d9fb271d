import { Engine } from 'json-rules-engine'

/** Compares an observed value with an expected one; both are present. */
export type Compare = (observed: unknown, expected: unknown) => boolean

interface LentOperator {
  evaluate(observed: unknown, expected: unknown): boolean
}

interface OperatorMap {
  get(name: string): LentOperator | null
}

function parts(version: unknown): number[] {
  return String(version).split('.').map(Number)
}

/** Sign of the comparison of two dotted-integer versions, part by part; a missing part counts as 0. */
export function compareVersions(left: unknown, right: unknown): number {
  const a = parts(left)
  const b = parts(right)
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return Math.sign(difference)
  }
  return 0
}

/** Adds imagegate's own typed operator decorators, version: and major:, to an engine. */
export function addTypedOperators(engine: Engine): Engine {
  engine.addOperatorDecorator<unknown, unknown, number, number>('version', (observed, expected, next) =>
    next(compareVersions(observed, expected), 0),
  )
  engine.addOperatorDecorator<unknown, unknown, unknown, unknown>('major', (observed, expected, next) =>
    next(parts(observed)[0], expected),
  )
  return engine
}

function isOperatorMap(value: unknown): value is OperatorMap {
  return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function'
}

// The engine's operator map is public at run time and missing in its type declarations; a test holds this.
const map: unknown = Reflect.get(addTypedOperators(new Engine()), 'operators')
if (!isOperatorMap(map)) throw new TypeError('json-rules-engine no longer offers its operators as Engine.operators.')
const lent: OperatorMap = map

/** The operator that json-rules-engine knows by this name, as a function. Throws a RangeError for an unknown one. */
export function operator(name: string): Compare {
  const found = lent.get(name)
  if (found === null || found === undefined) throw new RangeError(`There is no operator ${name}.`)
  return (observed, expected) => found.evaluate(observed, expected)
}
