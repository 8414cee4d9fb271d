import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { cached } from './cache.ts'
import { run } from './run.ts'

/** Programs that an rpm database in any of its formats needs; db5.3_load is in Debian's package db5.3-util. */
export const rpmPrograms = ['rpm', 'rpmdb', 'rpmbuild', 'db5.3_load'] as const

/** How an rpm database stores its headers. */
export type RpmFormat = 'sqlite' | 'bdb'

/** A package that a database lists; it has no files. */
export interface RpmPackage {
  readonly name: string
  readonly version: string
  readonly release: string
}

const home = (folder: string) => ['--define', `_topdir ${folder}`, '--define', `_tmppath ${folder}`]

async function buildPackages(folder: string, packages: readonly RpmPackage[]): Promise<void> {
  for (const { name, version, release } of packages) {
    const spec = join(folder, `${name}.spec`)
    const head = [`Name: ${name}`, `Version: ${version}`, `Release: ${release}`, 'Summary: fixture', 'License: none']
    await writeFile(spec, [...head, 'BuildArch: noarch', '%description', 'A fixture.', '%files', ''].join('\n'))
    await run('rpmbuild', ['--quiet', '-bb', ...home(folder), '--define', `_rpmdir ${folder}`, spec])
  }
}

/** The headers in the form in which Berkeley DB's own program loads them: little-endian numbers, and bytes. */
function berkeleyText(headers: readonly (readonly [number: number, header: Buffer])[]): string {
  const number = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    return bytes.toString('hex')
  }
  const last = Math.max(...headers.map(([key]) => key))
  const rows = headers.map(([key, header]) => ` ${number(key)}\n ${header.toString('hex')}\n`)
  const intro = 'VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=4096\nHEADER=END\n'
  return `${intro} ${number(0)}\n ${number(last)}\n${rows.join('')}DATA=END\n`
}

async function berkeley(sqlite: string, to: string): Promise<void> {
  const database = new Database(sqlite, { readonly: true })
  const rows: unknown[] = database.prepare('SELECT hnum, blob FROM Packages').raw().all()
  database.close()
  const headers = rows.flatMap((row): (readonly [number, Buffer])[] => {
    const [number, header] = Array.isArray(row) ? row : []
    return typeof number === 'number' && Buffer.isBuffer(header) ? [[number, header]] : []
  })
  await run('db5.3_load', ['-h', to, 'Packages'], { input: berkeleyText(headers) })
}

/**
 * The files of an rpm database that lists packages, by name. rpm writes sqlite itself; the Berkeley DB of older releases is
 * loaded by Berkeley DB's own program with the headers that rpm made. Debian's rpm cannot write ndb.
 */
export async function rpmDatabase(format: RpmFormat, packages: readonly RpmPackage[]): Promise<Map<string, Buffer>> {
  const folder = await cached(`rpm-${format}`, packages, async (part) => {
    const work = await mkdtemp(join(tmpdir(), 'imagegate-rpm-'))
    try {
      await buildPackages(work, packages)
      const written = join(work, 'db')
      const backend = ['--define', '_db_backend sqlite']
      await run('rpmdb', ['--dbpath', written, ...backend, '--initdb'])
      const files = packages.map(({ name, version, release }) =>
        join(work, 'noarch', `${name}-${version}-${release}.noarch.rpm`),
      )
      const flags = ['--justdb', '--nodeps', '--noscripts', '--nosignature', '--ignorearch', '--ignoreos']
      await run('rpm', ['--dbpath', written, ...backend, ...home(work), '-i', ...flags, ...files])
      await mkdir(join(part, 'db'))
      const sqlite = join(written, 'rpmdb.sqlite')
      if (format === 'bdb') await berkeley(sqlite, join(part, 'db'))
      else await writeFile(join(part, 'db', 'rpmdb.sqlite'), await readFile(sqlite))
    } finally {
      await rm(work, { recursive: true })
    }
  })
  const name = { sqlite: 'rpmdb.sqlite', bdb: 'Packages' }[format]
  return new Map([[name, await readFile(join(folder, 'db', name))]])
}
