import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'

/** A program of its own. */
export interface Program {
  /** Runs it and resolves with the exit code. */
  main(): Promise<number>
}

function isProgram(value: unknown): value is Program {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'main') === 'function'
}

/** Where the build keeps a program, and what V8 has made of its text. */
export function compiledFiles(name: string): { readonly text: URL; readonly code: URL } {
  return { text: new URL(`./${name}.cjs`, import.meta.url), code: new URL(`./${name}.v8`, import.meta.url) }
}

/** The text as V8 is given it; all of it is ASCII. */
export function scriptOf(text: Buffer): string {
  return `(function(module,require,$top){${text.toString('latin1')}\n})`
}

/**
 * A program that the build has put into one file and compiled, so that it starts in less time; undefined where it has not. What another
 * version of Node has compiled V8 compiles anew.
 */
export function compiledProgram(name: string): Program | undefined {
  const { text, code } = compiledFiles(name)
  const read = (file: URL): Buffer | undefined => {
    try {
      return readFileSync(file)
    } catch {
      return undefined
    }
  }
  const [source, cachedData] = [read(text), read(code)]
  if (source === undefined || cachedData === undefined) return undefined
  const script = new Script(scriptOf(source), { filename: fileURLToPath(text), cachedData })
  const module: { exports: unknown } = { exports: {} }
  script.runInThisContext()(module, createRequire(import.meta.url), import.meta.url)
  return isProgram(module.exports) ? module.exports : undefined
}
