import t from 'tap'
import { GuestError } from '../../../server/collector/guest.ts'
import { parseKeys } from '../../../server/collector/windows/hivex-output.ts'
import { readKeys } from '../../../server/collector/windows/hivexsh.ts'
import { makeHive, type Tree } from './hives.ts'
import { hiveOf, lacking, withHive } from './programs.ts'

const skip = lacking('hivexsh', 'hivexregedit')
const keysOf = async (tree: Tree, paths: readonly string[]) =>
  withHive(hiveOf(await makeHive(tree)), (hivexsh) => readKeys(hivexsh, paths))

t.test('values come back as they were stored, whatever is in them', { skip }, async (t) => {
  const texts = {
    plain: 'Windows Server 2019',
    quotes: 'a "quoted" \\ back\\\\slash"',
    lines: 'one\n"EnableFirewall"=dword:00000000\n\\A\nthree',
    letters: 'Größe 管理 \u{1f600}',
    empty: '',
  }
  const tree = {
    A: { ...texts, 'na"me\\x': 'y', number: 0xffffffff, bytes: Buffer.from([1, 2]) },
    'A\\B': {},
    'A\\C d': {},
  }
  const key = (await keysOf(tree, ['\\A'])).get('\\a')
  if (key === undefined || key instanceof GuestError) throw new Error('no key')
  for (const [name, text] of Object.entries(texts)) t.same(key.values.get(name), { type: 'string', text })
  t.same(key.values.get('na"me\\x'), { type: 'string', text: 'y' })
  t.same(key.values.get('number'), { type: 'dword', number: 0xffffffff })
  t.same(key.values.get('bytes'), { type: 'other' })
  t.same(key.subkeys, ['B', 'C d'])
})

t.test('keys that are not there cost a run each, and those below them nothing', { skip }, async (t) => {
  const hive = await makeHive({ 'A\\B': { x: 1 }, C: { y: 2 } })
  await withHive(hiveOf(hive), async (hivexsh) => {
    let runs = 0
    const counted: typeof hivexsh = (script) => {
      runs++
      return hivexsh(script)
    }
    const keys = await readKeys(counted, ['\\A', '\\A\\b', '\\No', '\\No\\Below', '\\No\\Below\\Deep', '\\Nor', '\\c'])
    t.same([...keys.keys()], ['\\a', '\\a\\b', '\\c'])
    t.equal(runs, 3)
  })
})

t.test('what is no hive is an error, never an empty one', { skip }, async (t) => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(8192), Buffer.from('regf'.padEnd(9000, '\0'))]) {
    await t.rejects(
      withHive(hiveOf(bytes), (hivexsh) => readKeys(hivexsh, ['\\A'])),
      { code: 'damaged' },
    )
  }
})

t.test('a key that the program stumbles over is damaged, and the next ones are read', async (t) => {
  const keys = await readKeys(
    async (script) => {
      if (script.startsWith('cd \\A'))
        return {
          exitCode: 1,
          stdout: Buffer.from('\\A\n"x"='),
          stderr: 'hivexsh: lsval: Invalid or incomplete character\n',
        }
      return { exitCode: 0, stdout: Buffer.from('\\B\n"y"=dword:00000001\n\\B\n\\B\n'), stderr: '' }
    },
    ['\\A', '\\B'],
  )
  t.match(keys.get('\\a'), { code: 'damaged' })
  t.match(keys.get('\\b'), { subkeys: [] })
})

t.test('output of another form gives fewer keys or an error, never other ones', async (t) => {
  const whole = '\\A\n"x"=dword:00000001\n"z"="t"\n\\A\nSub\n\\A\n\\B\n\\B\n\\B\n'
  t.equal(parseKeys(whole, ['\\A', '\\B']).length, 2)
  for (let length = 0; length < whole.length; length++) {
    t.ok(parseKeys(whole.slice(0, length), ['\\A', '\\B']).length <= (length < 39 ? 0 : 1), String(length))
  }
  t.same(parseKeys('\\X\n\\X\n\\X\n', ['\\A']), [])
  t.same(parseKeys('\\A\n"x"=dword:1\n\\A\n\\A\n', ['\\A']), [])
  t.throws(() => parseKeys('\\A\n"x"=dword:00000001\n"X"=dword:00000000\n\\A\n\\A\n', ['\\A']), { code: 'damaged' })
})

t.test('long values are read in time that grows with their length', async (t) => {
  const text = '\\"'.repeat(400_000)
  const started = performance.now()
  const [key] = parseKeys(`\\A\n"x"="${text}"\n\\A\n\\A\n`, ['\\A'])
  t.ok(key?.values.has('x'))
  t.same(parseKeys(`\\A\n"x"="${text}\n`, ['\\A']), [])
  t.ok(performance.now() - started < 5000)
})
