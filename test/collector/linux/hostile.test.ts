import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { GuestError } from '../../../server/collector/guest.ts'
import { fromSuseRelease } from '../../../server/collector/linux/distribution.ts'
import { iptablesFilters, nftFilters, nftIncludes } from '../../../server/collector/linux/firewall-rules.ts'
import { parseFstab } from '../../../server/collector/linux/fstab.ts'
import { parseGrubScript } from '../../../server/collector/linux/grub-script.ts'
import { GrubVariables } from '../../../server/collector/linux/grub-variables.ts'
import { readGrubCfg } from '../../../server/collector/linux/grub2.ts'
import { parseIni } from '../../../server/collector/linux/ini.ts'
import { ipv6Of, scopeOf } from '../../../server/collector/linux/interface.ts'
import { parseNetworkFile } from '../../../server/collector/linux/networkd.ts'
import { dpkgBaseline, verifySystemFiles } from '../../../server/collector/linux/system-files.ts'
import { assignments, fits, shown } from '../../../server/collector/linux/text.ts'
import { parseYaml } from '../../../server/collector/linux/yaml.ts'
import { parseListing } from '../../../server/collector/volumes/grub.ts'
import { debian10, debianKernel } from './debian.ts'
import { centos7 } from './redhat.ts'
import { collect, cpio, plant, TreeFiles } from './support.ts'

const canary = 'canarycanary'
const hash = `${'$'}6$${canary}$${canary.repeat(7)}`

t.test('no password, hash or key leaves the collector, wherever the guest puts it', async (t) => {
  const document = await collect(t, {
    ...debian10,
    '/etc/shadow': `root:${hash}:18600:0:99999:7:::\n`,
    '/etc/fstab': `https://user:${canary}@host/dav /dav davfs defaults 0 0\n${hash} /x ext4 defaults 0 0\n`,
    '/etc/issue': `${hash}\n`,
    '/usr/lib/os-release': `ID=debian\nVERSION_ID=10\nPRETTY_NAME='${hash}'\n`,
    '/etc/network/interfaces': `auto ${hash}\niface ${hash} inet dhcp\n`,
    '/boot/grub/grub.cfg': `set superusers="root"\npassword_pbkdf2 root ${hash}\nmenuentry '${hash}' {\n linux /boot/vmlinuz-${debianKernel} password=${canary}\n}\n`,
    '/var/lib/dpkg/status': `Package: cloud-init\nStatus: install ok installed\nVersion: 20.2\nArchitecture: ${hash}\n`,
  })
  t.notMatch(JSON.stringify(document), canary)
  t.equal(document.accounts?.root?.password, 'set')
  t.match(document.collection.missing, [{ code: 'secret', pointer: '/files/fstab/entries/0/source' }])
})

t.test('circles and bombs end as unknown, and the rest is told', async (t) => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h']
    .map(
      (name, index) =>
        `${name}: &${name} [${Array(9)
          .fill(`*${String.fromCharCode(97 + index)}`)
          .join(',')}]`,
    )
    .join('\n')}\n`
  const document = await collect(t, {
    ...debian10,
    '/etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config\n',
    '/etc/cloud/cloud.cfg.d/bomb.cfg': bomb,
    '/etc/network/interfaces': 'source interfaces\n',
    '/etc/nftables.conf': 'include "/etc/nftables.conf"\n',
    '/etc/systemd/system/sysinit.target.wants/nftables.service': { link: '/lib/systemd/system/nftables.service' },
    [`/boot/initrd.img-${debianKernel}`]: gzipSync(
      Buffer.concat([cpio(['init']).subarray(0, 60), Buffer.alloc(400, 1)]),
    ),
  })
  const lost = new Map((document.collection.missing ?? []).map(({ pointer, code }) => [pointer, code]))
  t.equal(lost.get('/remoteAccess/ssh/ports'), 'unsupported')
  t.ok(lost.has('/network'), 'the aliases are counted')
  t.ok(lost.has('/boot/defaultKernel/virtioBlk'))
  t.equal(document.firewall?.mechanisms?.find(({ name }) => name === 'nftables')?.filters, false)
  t.equal(document.os?.id, 'debian')
})

t.test('variables of GRUB that double and double are refused, and the rest is told', async (t) => {
  const doubled = 'set a="$a$a"\n'.repeat(18)
  const document = await collect(t, {
    ...debian10,
    '/boot/grub/grub.cfg': `set a=x\n${doubled}menuentry x {\n linux /boot/vmlinuz-${debianKernel} $a\n}\n`,
  })
  const lost = new Map((document.collection.missing ?? []).map(({ pointer, code }) => [pointer, code]))
  t.equal(lost.get('/boot/loader'), 'too-large')
  t.equal(lost.get('/boot/defaultKernel'), 'too-large')
  t.equal(document.os?.id, 'debian')
  const wide = `set a=${'x'.repeat(30_000)}\n`
  const entry = (words: string) => `${wide}menuentry x {\n linux /vmlinuz ${words}\n}\n`
  const read = (text: string) => readGrubCfg(text, new Map(), () => [])
  t.equal(read(entry('$a '.repeat(20))).entry?.words.length, 20)
  t.throws(() => read(entry('$a$a$a')), { code: 'too-large' }, 'one word')
  t.throws(() => read(entry('$a '.repeat(40))), { code: 'too-large' }, 'all words')
})

t.test('a variable of an entry gives way to one of the script, and one of the script to one of grubenv', (t) => {
  const script = new GrubVariables(new Map([['kernelopts', 'saved']]))
  script.assign(['set', 'kernelopts=other'], new Map([['kernelopts', 'saved']]))
  script.assign(['set', 'root=hd0'])
  script.assign(['set', `root=hd1,\${root}`])
  const entry = new GrubVariables(script)
  entry.assign(['set', 'root=lvm'])
  entry.assign(['own=$root'])
  t.equal(entry.expand(`$kernelopts \${root} $own $none.`), 'saved hd1,hd0 hd1,hd0 .')
  t.equal(script.get('own'), undefined)
  t.end()
})

t.test('blank lines without end cost no time', async (t) => {
  const blank = `${'\n'.repeat(900_000)}x`
  const tree = {
    ...debian10,
    '/etc/machine-id': undefined,
    '/usr/lib/systemd/system/nftables.service': blank,
    '/var/lib/dhcp/dhclient6.eth0.leases': blank,
    '/etc/init/ssh.conf': blank,
    '/etc/nftables.conf': blank,
    '/etc/sysconfig/iptables': blank,
    '/etc/issue': blank,
    '/etc/inittab': blank,
  }
  const start = process.hrtime.bigint()
  const { '/etc/machine-id': _left, ...without } = tree
  const document = await collect(t, without)
  t.equal(document.os?.id, 'debian')
  t.ok(Number(process.hrtime.bigint() - start) / 1e6 < 5000)
})

t.test('links in a circle are no file', async (t) => {
  const document = await collect(t, { ...debian10, '/etc/issue': { link: 'issue2' }, '/etc/issue2': { link: 'issue' } })
  t.same(document.files?.issue, { kind: 'link' })
})

t.test('names of a guest touch no prototype', async (t) => {
  const document = await collect(t, {
    ...debian10,
    '/etc/network/interfaces': 'auto __proto__\niface __proto__ inet dhcp\niface constructor inet static\n',
    '/etc/cloud/cloud.cfg.d/p.cfg':
      '__proto__: {polluted: true}\nnetwork: {version: 2, ethernets: {__proto__: {dhcp4: true}}}\n',
    '/boot/grub/grubenv': '__proto__=x\nconstructor=y\n',
  })
  t.equal(Reflect.get({}, 'polluted'), undefined)
  t.same(
    document.network?.interfaces?.map(({ name }) => name),
    ['__proto__', 'constructor'],
  )
})

t.test('patterns take time in proportion, whatever they hold', (t) => {
  const start = process.hrtime.bigint()
  fits('*a'.repeat(2000), 'a'.repeat(4000))
  nftFilters(`"${'x'.repeat(500_000)}`)
  iptablesFilters('-A INPUT '.repeat(50_000))
  parseFstab(`${'\\040'.repeat(100_000)} / ext4`)
  assignments(`A=${'"\\'.repeat(200_000)}`)
  parseNetworkFile('x', `[Match]\nName=${'* '.repeat(50_000)}`)
  fromSuseRelease(`SUSE\n${'VERSION '.repeat(100_000)}`)
  ipv6Of(':'.repeat(500_000))
  scopeOf('0:'.repeat(200_000))
  assignments(`A=${' '.repeat(500_000)}x`)
  parseGrubScript(`${'{'.repeat(100_000)}${"'".repeat(99_999)}`)
  parseIni('\\\n'.repeat(20_000))
  parseGrubScript(`${'then '.repeat(199_000)}true`)
  nftIncludes(`"${'include '.repeat(50_000)}`)
  const names = Array.from({ length: 30_000 }, (_, index) => `a ${index}`)
  const listing = parseListing(names.map((name) => `1 20201230120000 ${name}\n`).join(''), `${names.join(' ')} \n`)
  t.equal(listing.size, names.length)
  t.ok(Number(process.hrtime.bigint() - start) / 1e6 < 3000)
  t.throws(() => parseYaml('['.repeat(100_000)), GuestError)
  t.throws(() => parseYaml('- '.repeat(10_000)), GuestError)
  t.end()
})

t.test('a directory as GRUB lists it has its links, whatever blanks the names have', (t) => {
  const long = 'DIR 20201230120000 ./\nDIR 20201230120000 a/\n12 20201230120000 a b\n3 20201230120000 a b c\n'
  t.same(
    [...parseListing(long, './ ../ a/ a b c a b link other/ \n')],
    [
      ['a', 'directory'],
      ['a b', 12],
      ['a b c', 3],
      ['link', 'link'],
      ['other', 'directory'],
    ],
  )
  t.same([...parseListing('', '')], [])
  t.end()
})

t.test('what is too long to be read is unknown, and no part of it is taken for all', async (t) => {
  const ssh = { '/etc/ssh/sshd_config': `${'\n'.repeat(50_000)}Port 2222\n` }
  const long = await collect(t, { ...debian10, ...ssh })
  t.equal(long.remoteAccess?.ssh?.ports, undefined)
  t.match(
    long.collection.missing?.find(({ pointer }) => pointer === '/remoteAccess/ssh/ports'),
    { code: 'too-large', reason: 'There are more than 50000 lines in a file.' },
  )
  const connections = Object.fromEntries(
    Array.from({ length: 257 }, (_, index) => [
      `/etc/sysconfig/network-scripts/ifcfg-eth${index}`,
      `DEVICE=eth${index}\nONBOOT=no\n`,
    ]),
  )
  const many = await collect(t, { ...centos7, ...connections })
  t.equal(many.network, undefined)
  t.equal(many.collection.missing?.find(({ pointer }) => pointer === '/network')?.code, 'too-large')
  t.equal(many.os?.id, 'centos')
})

t.test('patterns fit as a shell would have it', (t) => {
  for (const [pattern, name, expected] of [
    ['*.conf', 'a.conf', true],
    ['*.conf', 'a.conf.bak', false],
    ['[0-9]?-*.cfg', '50-x.cfg', true],
    ['[!a]*', 'abc', false],
    ['en*', 'eth0', false],
    ['a*b*c', 'aXbYbc', true],
    ['[', '[', true],
    ['', '', true],
  ] as const)
    t.equal(fits(pattern, name), expected, `${pattern} ${name}`)
  t.end()
})

/** A guest that gives files in small pieces, and counts how many are open and what the largest whole one may be. */
class PieceFiles extends TreeFiles {
  open = 0
  mostOpen = 0
  mostBytes = 0

  override async read(path: string, maxBytes: number): Promise<Buffer | undefined> {
    this.mostBytes = Math.max(this.mostBytes, maxBytes)
    return super.read(path, maxBytes)
  }

  async pieces(path: string, maxBytes: number): Promise<AsyncIterable<Buffer> | undefined> {
    const bytes = await super.read(path, maxBytes)
    if (bytes === undefined) return undefined
    const opened = this
    return (async function* () {
      opened.open += 1
      opened.mostOpen = Math.max(opened.mostOpen, opened.open)
      for (let at = 0; at < bytes.length; at += 65_521) yield bytes.subarray(at, at + 65_521)
      opened.open -= 1
    })()
  }
}

t.test('long lists of digests are read as many at once as fit into memory', async (t) => {
  const root = t.testdir()
  const names = ['a', 'b', 'c', 'd']
  const digest = createHash('md5').update('x').digest('hex')
  const status = names.map((name) => `Package: ${name}\nStatus: install ok installed\nVersion: 1\n`).join('\n')
  const list = (name: string) => `${'#'.repeat(12_582_912)}\n${digest}  bin/${name}\n`
  plant(root, {
    '/var/lib/dpkg/status': status,
    ...Object.fromEntries(names.map((name) => [`/var/lib/dpkg/info/${name}.md5sums`, list(name)])),
  })
  const files = new PieceFiles(root)
  const found = await dpkgBaseline(files)
  t.same(found?.map(({ path }) => path).toSorted(), ['/bin/a', '/bin/b', '/bin/c', '/bin/d'])
  t.equal(files.mostOpen, 2)
})

t.test('large system files are compared one after the other and in pieces', async (t) => {
  const root = t.testdir()
  const content = Buffer.alloc(33_554_433, 'imagegate')
  const prelinked = Buffer.from(content)
  // Across the end of a piece.
  prelinked.write('.gnu.prelink_undo', 65_521 - 5)
  plant(root, {
    '/bin/same': content,
    '/bin/other': content.subarray(1),
    '/bin/small': 'small',
    '/lib/p': prelinked,
  })
  const digest = createHash('sha256').update(content).digest('hex')
  const packaged = ['/bin/same', '/bin/other', '/bin/gone'].map((path) => ({
    path,
    algorithm: 'sha256' as const,
    digest,
  }))
  const files = new PieceFiles(root)
  const { facts } = await verifySystemFiles(files, 'rpm', packaged)
  t.same(facts.files?.systemFiles?.modified, [
    { path: '/bin/gone', change: 'missing' },
    { path: '/bin/other', change: 'content' },
  ])
  t.equal(files.mostOpen, 1)
  t.ok(files.mostBytes <= 33_554_432, 'no large file as a whole')
  const undone = [{ path: '/lib/p', algorithm: 'sha256' as const, digest }]
  await t.rejects(verifySystemFiles(files, 'rpm', undone), { code: 'unverifiable' })
})

t.test('a string is cut without half a character', (t) => {
  t.ok(shown(`${'x'.repeat(9)}\u{1f600}`, 10)?.isWellFormed())
  t.equal(shown('', 5), undefined)
  t.end()
})
