import type { Condition } from '../../documents/policy.ts'
import type { Kleene } from '../compile.ts'
import { type Atom, atomOf, withParameters } from './uses.ts'

/** A condition tree, or what is left of one, as a number: equal trees have equal numbers. */
export type Tree = number

/** The trees that are decided. */
export const decided = { false: 0, true: 1, unknown: 2 } as const

type Node =
  | { readonly kind: 'decided' }
  | { readonly kind: 'atom'; readonly atom: number }
  | { readonly kind: 'all' | 'any'; readonly children: readonly Tree[] }
  | { readonly kind: 'not'; readonly child: Tree }

/** The tree of a truth. */
export function treeOf(holds: Kleene): Tree {
  return holds === undefined ? decided.unknown : holds ? decided.true : decided.false
}

/** Condition trees over shared atoms, each stored once, simplified as atoms are decided. */
export class Forest {
  readonly atoms: Atom[] = []
  readonly #atomOfKey = new Map<string, number>()
  readonly #nodes: Node[] = [{ kind: 'decided' }, { kind: 'decided' }, { kind: 'decided' }]
  readonly #known = new Map<string, Tree>()
  readonly #support = new Map<Tree, readonly number[]>()

  #intern(key: string, node: Node): Tree {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    this.#known.set(key, this.#nodes.length)
    return this.#nodes.push(node) - 1
  }

  #not(child: Tree): Tree {
    if (child === decided.unknown) return child
    if (child === decided.true || child === decided.false) return child === decided.true ? decided.false : decided.true
    const node = this.#nodes[child]
    return node?.kind === 'not' ? node.child : this.#intern(`not ${child}`, { kind: 'not', child })
  }

  /** Kleene's and, or or: one child decides alone, children that change nothing are dropped. */
  #many(kind: 'all' | 'any', given: readonly Tree[]): Tree {
    const decisive = kind === 'all' ? decided.false : decided.true
    const neutral = kind === 'all' ? decided.true : decided.false
    if (given.includes(decisive)) return decisive
    const children = [...new Set(given)].filter((child) => child !== neutral).sort((a, b) => a - b)
    const [first, second] = children
    if (first === undefined) return neutral
    if (second === undefined) return first
    return this.#intern(`${kind} ${children.join(' ')}`, { kind, children })
  }

  /** Adds a condition, the values of parameters put in. */
  add(condition: Condition, parameters: Readonly<Record<string, unknown>>): Tree {
    return this.#add(withParameters(condition, parameters), parameters)
  }

  #add(condition: Condition, parameters: Readonly<Record<string, unknown>>): Tree {
    const add = (child: Condition) => this.#add(child, parameters)
    if ('all' in condition) return this.#many('all', condition.all.map(add))
    if ('any' in condition) return this.#many('any', condition.any.map(add))
    if ('not' in condition) return this.#not(add(condition.not))
    const atom = atomOf(condition, parameters)
    const index = this.#atomOfKey.get(atom.key) ?? this.atoms.push(atom) - 1
    this.#atomOfKey.set(atom.key, index)
    return this.#intern(`atom ${index}`, { kind: 'atom', atom: index })
  }

  /** The atoms that a tree depends on, in the order in which they stand in it. */
  support(tree: Tree): readonly number[] {
    const known = this.#support.get(tree)
    if (known !== undefined) return known
    const node = this.#nodes[tree]
    const found =
      node === undefined || node.kind === 'decided'
        ? []
        : node.kind === 'atom'
          ? [node.atom]
          : node.kind === 'not'
            ? this.support(node.child)
            : [...new Set(node.children.flatMap((child) => this.support(child)))]
    this.#support.set(tree, found)
    return found
  }

  /** What is left of a tree once some atoms are decided. */
  decide(tree: Tree, truths: ReadonlyMap<number, Kleene>, done: Map<Tree, Tree> = new Map()): Tree {
    const node = this.#nodes[tree]
    if (node === undefined || node.kind === 'decided') return tree
    const known = done.get(tree)
    if (known !== undefined) return known
    const left = this.#decide(node, tree, truths, done)
    done.set(tree, left)
    return left
  }

  #decide(
    node: Exclude<Node, { kind: 'decided' }>,
    tree: Tree,
    truths: ReadonlyMap<number, Kleene>,
    done: Map<Tree, Tree>,
  ) {
    if (node.kind === 'atom') return truths.has(node.atom) ? treeOf(truths.get(node.atom)) : tree
    if (node.kind === 'not') return this.#not(this.decide(node.child, truths, done))
    return this.#many(
      node.kind,
      node.children.map((child) => this.decide(child, truths, done)),
    )
  }
}
