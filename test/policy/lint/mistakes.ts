import { pointerType } from '../../../server/policy/fact-types.ts'

/** One mistake in a file: its text with the mistake, and where lint must tell it. */
export interface Mistake {
  readonly text: string
  /** Line, counted from 1. */
  readonly line: number
  readonly code: string
}

/** Makes one mistake of a kind in a policy's text; undefined where the text offers no place for it. */
export interface MistakeKind {
  readonly name: string
  make(text: string, random: () => number): Mistake | undefined
}

type Change = (line: string, match: RegExpExecArray) => string

interface Place {
  readonly index: number
  readonly match: RegExpExecArray
}

function pick<T>(values: readonly T[], random: () => number): T | undefined {
  return values[Math.floor(random() * values.length)]
}

function placesOf(lines: readonly string[], pattern: RegExp, fits: (match: RegExpExecArray) => boolean): Place[] {
  return lines.flatMap((line, index) => {
    const match = pattern.exec(line)
    return match !== null && fits(match) ? [{ index, match }] : []
  })
}

/** Changes one of the lines that match, chosen at random; the mistake is told at that line. */
function inLine(
  name: string,
  code: string,
  pattern: RegExp,
  change: Change,
  fits: (match: RegExpExecArray) => boolean = () => true,
): MistakeKind {
  return {
    name,
    make(text, random) {
      const lines = text.split('\n')
      const place = pick(placesOf(lines, pattern, fits), random)
      if (place === undefined) return undefined
      const { index, match } = place
      const changed = change(match.input, match)
      if (changed === match.input) throw new Error(`${name} changes nothing in ${match.input}`)
      return { text: lines.with(index, changed).join('\n'), line: index + 1, code }
    },
  }
}

/** Removes a member with the lines below it; the mistake is told at the line above that begins with `owner`. */
function without(name: string, code: string, member: RegExp, owner: RegExp): MistakeKind {
  return {
    name,
    make(text, random) {
      const lines = text.split('\n')
      const blocks = placesOf(lines, member, () => true).map(({ index, match }) => {
        const indent = match.input.search(/\S/)
        const next = lines.findIndex((line, at) => at > index && line !== '' && line.search(/\S/) <= indent)
        return { index, end: next === -1 ? lines.length : next }
      })
      // An anchor that goes leaves aliases of nothing behind, which is a mistake of another kind.
      const free = blocks.filter(({ index, end }) => !lines.slice(index, end).some((line) => / &\w/.test(line)))
      const block = pick(free, random)
      if (block === undefined) return undefined
      const above = lines.slice(0, block.index).findLastIndex((line) => owner.test(line))
      return { text: lines.toSpliced(block.index, block.end - block.index).join('\n'), line: above + 1, code }
    },
  }
}

const leaf = /^(\s+- )(\{ fact: (\w+), path: (\/[\w/]+), operator: (\S+), value: ([\w".]+|\[[^\]]+\]) \})$/
const comparison = /fact: (\w+), path: (\/[\w/]+), operator: equal, value: (\w+) \}/

function isEnumerated([, fact = '', path = '']: RegExpExecArray): boolean {
  const type = pointerType(`/${fact}${path}`)
  if (fact === 'element') return ['/role', '/content', '/encryption', '/sourceKind', '/kind'].includes(path)
  return type?.kind === 'string' && type.values !== undefined
}

/** The line at which the condition that has this line is told: its first, or the one with its name. */
function conditionLine(lines: readonly string[], index: number): number {
  const indent = lines[index]?.search(/\S/) ?? 0
  const first = lines.slice(0, index).findLastIndex((line) => /fact: count/.test(line) && line.search(/f/) === indent)
  return /^\s+- fact/.test(lines[first] ?? '') ? first + 1 : first
}

const impossibleCount: MistakeKind = {
  name: 'a count that is never below none',
  make(text, random) {
    const lines = text.split('\n')
    const places = placesOf(lines, /^(\s+)operator: equal$/, ({ index, input }) => index === 0 && input !== '')
    const place = pick(
      places.filter(({ index }) => /^\s+value: 0$/.test(lines[index + 1] ?? '')),
      random,
    )
    if (place === undefined) return undefined
    const changed = lines.with(place.index, place.match.input.replace('equal', 'lessThan'))
    return { text: changed.join('\n'), line: conditionLine(lines, place.index), code: 'always-false' }
  },
}

const repeatedLine: MistakeKind = {
  name: 'a condition copied and not changed',
  make(text, random) {
    const lines = text.split('\n')
    const place = pick(
      placesOf(lines, leaf, () => true),
      random,
    )
    if (place === undefined) return undefined
    return {
      text: lines.toSpliced(place.index, 0, place.match.input).join('\n'),
      line: place.index + 2,
      code: 'repeated-condition',
    }
  },
}

const copiedCase: MistakeKind = {
  name: 'a case copied whose when was not changed',
  make(text, random) {
    const lines = text.split('\n')
    const place = pick(
      placesOf(lines, /^ {6}- when: \{/, () => true),
      random,
    )
    if (place === undefined) return undefined
    const end = lines.findIndex((line, index) => index > place.index && /^ {0,6}\S/.test(line))
    const body = lines.slice(place.index, end)
    return { text: lines.toSpliced(end, 0, ...body).join('\n'), line: end + 1, code: 'shadowed-case' }
  },
}

const copiedId: MistakeKind = {
  name: 'a rule copied whose id was not changed',
  make(text, random) {
    const lines = text.split('\n')
    const places = placesOf(lines, /^ {2}- id: (\S+)$/, () => true)
    const number = 1 + Math.floor(random() * (places.length - 1))
    const [before, place] = [places[number - 1], places[number]]
    if (before === undefined || place === undefined) return undefined
    const changed = lines.with(place.index, before.match.input)
    return { text: changed.join('\n'), line: place.index + 1, code: 'duplicate-rule-id' }
  },
}

const uncitedRequirement: MistakeKind = {
  name: 'a requirement that nobody cites any more',
  make(text, random) {
    const lines = text.split('\n')
    const all = placesOf(lines, /^ {4}requirements: \[([A-Z]-\d\d)\]$/, () => true)
    const cited = [...text.matchAll(/^ {4}requirements: \[(.*)\]$/gm)].flatMap(([, ids = '']) => ids.split(', '))
    const place = pick(
      all.filter(({ match }) => cited.filter((id) => id === match[1]).length === 1),
      random,
    )
    const other = cited.find((id) => id !== place?.match[1])
    if (place === undefined || other === undefined) return undefined
    const changed = lines.with(place.index, `    requirements: [${other}]`)
    return { text: changed.join('\n'), line: lines.indexOf('rules:') + 1, code: 'uncovered-requirement' }
  },
}

/** Changes a value so that the policy is sound and says something else: only the lock can tell, at the version. */
function soundChange(name: string, pattern: RegExp, change: Change): MistakeKind {
  const kind = inLine(name, 'changed-release', pattern, change)
  return {
    name,
    make(text, random) {
      const made = kind.make(text, random)
      return made && { ...made, line: text.split('\n').findIndex((line) => line.startsWith('version:')) + 1 }
    },
  }
}

/** Every kind of mistake. */
export const mistakeKinds: readonly MistakeKind[] = [
  inLine(
    'a letter too many in a path',
    'unknown-path',
    /fact: (?!parameters)\w+, path: (\/[\w/]+), op/,
    (line, [, path]) => line.replace(`path: ${path}`, `path: ${path}q`),
  ),
  inLine(
    'a letter missing in a path',
    'unknown-path',
    /fact: (?!parameters)\w+, path: (\/\w+), op/,
    (line, [, path = '']) => line.replace(`path: ${path}`, `path: ${path.slice(0, 1)}${path.slice(2)}`),
  ),
  inLine('a path that begins without a slash', 'malformed-path', /fact: (?!parameters)\w+, path: \//, (line) =>
    line.replace('path: /', 'path: '),
  ),
  inLine('a list that does not exist', 'unknown-list', /^\s+of: \//, (line) => `${line}s`),
  inLine('a parameter that does not exist', 'unknown-parameter', /fact: parameters, path: (\/\w+)/, (line, [, path]) =>
    line.replace(`path: ${path}`, `path: ${path}s`),
  ),
  inLine('an operator that does not exist', 'unknown-operator', /operator: (\w+), value/, (line, [, operator]) =>
    line.replace(`operator: ${operator},`, `operator: ${operator}s,`),
  ),
  inLine('an order of what has none', 'operator-misfit', /operator: equal, value: [a-z]/, (line) =>
    line.replace('operator: equal', 'operator: lessThan'),
  ),
  inLine('a version operator on what is no version', 'operator-misfit', /operator: equal, value: [a-z]/, (line) =>
    line.replace('operator: equal', 'operator: "version:equal"'),
  ),
  inLine('a truth value in quotes', 'value-type', /operator: equal, value: (true|false) \}/, (line, [, value]) =>
    line.replace(`value: ${value}`, `value: "${value}"`),
  ),
  inLine('equal with a list', 'value-type', /operator: in, value: \[/, (line) =>
    line.replace('operator: in', 'operator: equal'),
  ),
  inLine(
    'a value that the schema does not list',
    'impossible-value',
    comparison,
    (line, [whole, , , value]) => line.replace(whole, whole.replace(`value: ${value}`, `value: ${value}s`)),
    isEnumerated,
  ),
  inLine('a value beyond what the schema allows', 'value-out-of-range', /operator: equal, value: \d+ \}/, (line) =>
    line.replace(/equal, value: \d+ \}/, 'equal, value: 9007199254740992 }'),
  ),
  inLine(
    'bounds that exclude one another',
    'contradiction',
    leaf,
    (_line, [, item, condition, fact, path, operator, value]) => {
      const opposite = `{ not: { fact: ${fact}, path: ${path}, operator: ${operator}, value: ${value} } }`
      return `${item}{ all: [${condition}, ${opposite}] }`
    },
  ),
  impossibleCount,
  repeatedLine,
  copiedCase,
  inLine('a month that does not exist', 'malformed-date', /^effectiveFrom: /, (line) => line.replace('-12-', '-13-')),
  inLine('an instant without its zone', 'malformed-date', /^effectiveFrom: /, (line) => line.replace('Z', '')),
  inLine('a year too early', 'in-force-too-early', /^effectiveFrom: /, (line) => line.replace('2020-', '2010-')),
  inLine('a day that does not exist', 'impossible-date', /^ {6}revision: /, (line) => line.replace('-12-30', '-11-31')),
  inLine('another revision of the source', 'source-differs', /^ {6}revision: /, (line) => line.replace('2020', '2021')),
  inLine('a version that is none', 'malformed-version', /^version: /, (line) => line.replace('1.0.0', '1.0')),
  inLine('a version that is another', 'misplaced-file', /^version: /, (line) => line.replace('1.0.0', '1.0.1')),
  inLine('a rule of another family', 'rule-id-family', /^ {2}- id: /, (line) => line.replace('- id: ', '- id: x')),
  inLine('a capital in an id', 'malformed-id', /^ {2}- id: /, (line) => `${line}X`),
  copiedId,
  inLine(
    'a requirement that does not exist',
    'unknown-requirement',
    /^ {4}requirements: \[([A-Z]-\d\d)/,
    (line, [, id]) => line.replace(`[${id}`, '[Z-99'),
  ),
  inLine('a requirement of other systems', 'foreign-requirement', /^ {4}requirements: \[/, (line) =>
    line.replace('[', '[N-01, '),
  ),
  uncitedRequirement,
  without('a rule without source', 'missing-source', /^ {4}source:$/, /^ {2}- id:/),
  without('a rule without how to collect', 'missing-collection-hint', /^ {4}collect:/, /^ {2}- id:/),
  without('a case without remediation', 'missing-remediation', /^ {8}remediation:(?! &)/, /^ {6}- /),
  inLine('a hint left for later', 'unfinished-text', /^ {12}- [A-Z]\w+ [^"{:>]+\.$/, (line) =>
    line.replace(/- .*/, '- TODO'),
  ),
  inLine(
    'a message that quotes what does not exist',
    'unknown-placeholder',
    /^ {6}(- )?( {2})?message: "?.*\{\/\w+(\/\w+)+[}|]/,
    (line) => line.replace(/(\{\/\w+(?:\/\w+)+)([}|])/, '$1q$2'),
  ),
  inLine(
    'a placeholder of no format',
    'malformed-placeholder',
    /^ {6}(- )?( {2})?message: "?.*\{\/\w+(\/\w+)+[}|]/,
    (line) => line.replace(/(\{\/\w+(?:\/\w+)+)(\|\w+)?\}/, '$1|nice}'),
  ),
  inLine('a member with a wrong name', 'unknown-member', /^ {4}interpretation:/, (line) =>
    line.replace('tation', 'taton'),
  ),
  inLine('a stage that does not exist', 'schema', /^ {10}stage: /, (line) => `${line}s`),
  inLine('an effect that does not exist', 'schema', /^ {4}effect: \{/, (line) => line.replace('fail: ', 'fail: un')),
  inLine('an alias of nothing', 'yaml-syntax', /^ {4,8}\w+: \*[\w-]+$/, (line) => `${line}x`),
  inLine('a colon in a text without quotes', 'yaml-syntax', /^ {4}title: [A-Z]/, (line) => `${line}: always`),
  soundChange('a threshold moved after the release', /^ {4}value: \d+$/, (line) => `${line}0`),
  soundChange('an effect changed after the release', /^ {4}effect: \{ fail: block/, (line) =>
    line.replace('fail: block', 'fail: warn'),
  ),
  soundChange('a text changed after the release', /^ {4}title: /, (line) => `${line} indeed`),
]
