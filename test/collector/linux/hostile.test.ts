import { createHash } from 'node:crypto'
import zlib, { gzipSync } from 'node:zlib'
import t from 'tap'
import { GuestError } from '../../../server/collector/guest.ts'
import { isAlibabaBuild, upstreamVersion } from '../../../server/collector/linux/agents.ts'
import { compareVersions } from '../../../server/collector/linux/bls.ts'
import { CpioNames } from '../../../server/collector/linux/cpio.ts'
import { fromOsRelease, fromRedHatRelease, fromSuseRelease } from '../../../server/collector/linux/distribution.ts'
import { iptablesFilters, nftFilters, nftIncludes } from '../../../server/collector/linux/firewall-rules.ts'
import { parseFstab } from '../../../server/collector/linux/fstab.ts'
import { parseGrubScript } from '../../../server/collector/linux/grub-script.ts'
import { GrubVariables } from '../../../server/collector/linux/grub-variables.ts'
import { readGrubCfg } from '../../../server/collector/linux/grub2.ts'
import { parseIni } from '../../../server/collector/linux/ini.ts'
import { initramfsNames } from '../../../server/collector/linux/initramfs.ts'
import type { Decompress } from '../../../server/collector/linux/input.ts'
import { ipv6Of, scopeOf } from '../../../server/collector/linux/interface.ts'
import { lz4Block } from '../../../server/collector/linux/lz4.ts'
import { netplanInterfaces } from '../../../server/collector/linux/netplan.ts'
import { parseNetworkFile } from '../../../server/collector/linux/networkd.ts'
import { verifySystemFiles } from '../../../server/collector/linux/system-files.ts'
import { assignments, fits, shown } from '../../../server/collector/linux/text.ts'
import { parseYaml, yamlMember } from '../../../server/collector/linux/yaml.ts'
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

/** The names, and the same when the bytes come one by one. */
async function namesIn(bytes: Buffer, decompress: Decompress | undefined): Promise<string[] | undefined> {
  const [whole, cut] = await Promise.allSettled([
    initramfsNames([bytes], decompress),
    initramfsNames(
      Array.from(bytes, (byte) => Buffer.from([byte])),
      decompress,
    ),
  ])
  t.same(cut, whole, 'in pieces')
  if (whole.status === 'rejected') throw whole.reason
  return whole.value
}

t.test('an initramfs is read in every layout', async (t) => {
  const names = ['init', 'lib/modules/1/virtio_blk.ko']
  t.same(await namesIn(cpio(names), undefined), names, 'not compressed')
  const parts = Buffer.concat([
    cpio(['kernel/x86']),
    Buffer.alloc(300),
    cpio(['early2']),
    Buffer.alloc(4),
    gzipSync(cpio(names)),
  ])
  t.same(await namesIn(parts, undefined), ['kernel/x86', 'early2', ...names], 'archives in front')
  const padded = Buffer.concat([
    gzipSync(Buffer.concat([cpio(['a']), Buffer.alloc(512), cpio(['b'])])),
    Buffer.alloc(100),
  ])
  t.same(await namesIn(padded, undefined), ['a', 'b'], 'archives inside, zeros behind')
  t.equal(await namesIn(Buffer.from('no archive at all'), undefined), undefined)
  t.equal(await namesIn(Buffer.alloc(64), undefined), undefined)
  await t.rejects(namesIn(gzipSync(cpio(names)).subarray(0, 60), undefined), { code: 'damaged' })
  await t.rejects(namesIn(Buffer.from('fd377a585a000000', 'hex'), undefined), { code: 'unsupported' })
  const given = await namesIn(Buffer.from('fd377a585a000000', 'hex'), async function* (kind) {
    t.equal(kind, 'xz')
    const whole = cpio(names)
    // In small pieces, so that a header is cut in two.
    for (let at = 0; at < whole.length; at += 7) yield whole.subarray(at, at + 7)
  })
  t.same(given, names, 'undone by whoever can')
})

t.test('what a program unpacks is handed to it in pieces', async (t) => {
  let asked = 0
  let given = 0
  const pieces = async function* () {
    for (let piece = 0; piece < 64; piece++) {
      asked += 1
      const bytes = Buffer.alloc(4096)
      if (piece === 0) bytes.write('fd377a585a00', 'hex')
      yield bytes
    }
  }
  const names = await initramfsNames(pieces(), async function* (_, packed) {
    for await (const piece of packed) {
      given += piece.length
      t.ok(asked <= given / 4096 + 2, 'none is read before it is wanted')
    }
    yield cpio(['init'])
  })
  t.same(names, ['init'])
  t.equal(given, 64 * 4096)
})

t.test('zstd is undone where Node can, and is unknown elsewhere', async (t) => {
  const compress: unknown = Reflect.get(zlib, 'zstdCompressSync')
  const packed: unknown = typeof compress === 'function' ? compress(cpio(['init'])) : undefined
  if (Buffer.isBuffer(packed)) t.same(await namesIn(packed, undefined), ['init'])
  else await t.rejects(namesIn(Buffer.from('28b52ffd', 'hex'), undefined), { code: 'unsupported' })
})

t.test('LZ4 is undone, with copies that overlap', async (t) => {
  const target = Buffer.alloc(64)
  // Three letters, then nine more by a copy from three bytes before, then the end.
  const block = Buffer.from([0x35, 0x61, 0x62, 0x63, 0x03, 0x00, 0x10, 0x21])
  t.equal(target.toString('latin1', 0, lz4Block(block, target)), 'abcabcabcabc!')
  t.throws(() => lz4Block(Buffer.from([0x05, 0x03, 0x00]), target), GuestError, 'a copy from before the start')
  t.throws(() => lz4Block(Buffer.from([0xff, 0xff]), target), GuestError)
  const archive = cpio(['init'])
  const literals: number[] = [0xf0]
  let rest = archive.length - 15
  for (; rest >= 255; rest -= 255) literals.push(255)
  const packed = Buffer.concat([Buffer.from([...literals, rest]), archive])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(packed.length)
  t.same(await namesIn(Buffer.concat([Buffer.from('02214c18', 'hex'), size, packed]), undefined), ['init'])
})

t.test('a damaged archive is refused', (t) => {
  const names = new CpioNames()
  const bad = cpio(['init'])
  bad.write('zzzzzzzz', 94)
  t.throws(() => names.take(bad), GuestError)
  t.end()
})

t.test('distributions are told apart', (t) => {
  const release = (text: string, centos?: string) => {
    const found = fromOsRelease(text, undefined, centos)
    return `${found?.id} ${found?.version}`
  }
  t.equal(release('ID="centos"\nNAME="CentOS Stream"\nVERSION_ID="8"'), 'centos-stream 8')
  t.equal(release('ID=fedora\nVARIANT_ID=coreos\nVERSION_ID=33'), 'fedora-coreos 33')
  t.equal(release('ID="sled"\nVERSION_ID="15.1"'), 'sles 15.1')
  t.equal(release('ID="sle_hpc"\nVERSION_ID="15.1"'), 'sle_hpc 15.1')
  t.equal(release('ID=opensuse\nNAME="openSUSE Tumbleweed"\nVERSION_ID="20201225"'), 'opensuse-tumbleweed 20201225')
  t.equal(release('ID=opensuse\nVERSION_ID="42.3"'), 'opensuse 42.3')
  t.equal(release('ID="opensuse-microos"'), 'opensuse-microos undefined')
  t.equal(release('ID=ubuntu\nVERSION_ID="18.04"'), 'ubuntu 18.4')
  t.equal(release('ID=flatcar\nID_LIKE=coreos\nVERSION_ID=2605.9.0'), 'flatcar 2605.9.0')
  t.equal(release('ID="rhel"\nVERSION_ID="8.3"'), 'rhel 8.3')
  t.equal(release('ID=../../x'), 'undefined undefined')
  t.equal(fromRedHatRelease('Red Hat Enterprise Linux Server release 6.10 (Santiago)')?.id, 'rhel')
  t.equal(fromRedHatRelease('Red Hat Linux release 9 (Shrike)')?.version, '9')
  t.equal(fromRedHatRelease('Fedora release 33')?.id, 'fedora')
  t.same(fromSuseRelease('SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n')?.version, '11.4')
  t.same(fromSuseRelease('openSUSE 13.1 (x86_64)\nVERSION = 13.1\nCODENAME = Bottle\n'), {
    id: 'opensuse',
    version: '13.1',
    name: 'openSUSE 13.1 (x86_64)',
  })
  t.end()
})

t.test('versions of cloud-init and of kernels', (t) => {
  t.equal(upstreamVersion('0:0.7.6a15-1.el7'), '0.7.6')
  t.equal(upstreamVersion('20.2-2~deb10u1'), '20.2')
  t.ok(isAlibabaBuild('0.7.6a15'))
  t.ok(isAlibabaBuild('19.1.3-1'))
  t.notOk(isAlibabaBuild('19.1-1-gbaa47854-0ubuntu1'))
  t.notOk(isAlibabaBuild('0.7.6'))
  const kernels = ['4.18.0-80.el8', '4.18.0-193.el8', '4.18.0-193.1.2.el8', '0-rescue', '5.4~rc1', '5.4']
  t.same(kernels.toSorted(compareVersions), [
    '0-rescue',
    '4.18.0-80.el8',
    '4.18.0-193.el8',
    '4.18.0-193.1.2.el8',
    '5.4~rc1',
    '5.4',
  ])
  t.end()
})

t.test('firewall rules: empty and accept-only do not filter', (t) => {
  const table = (lines: string) => `*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT\n${lines}\nCOMMIT\n`
  t.notOk(iptablesFilters(''))
  t.notOk(iptablesFilters(table('-A INPUT -p tcp --dport 80 -j ACCEPT\n-A INPUT -j LOG')))
  t.notOk(iptablesFilters('*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n'))
  t.ok(iptablesFilters(table('').replace('INPUT ACCEPT', 'INPUT DROP')))
  t.ok(iptablesFilters(table('-A INPUT -j REJECT --reject-with icmp-host-prohibited')))
  t.ok(iptablesFilters(table(':OWN - [0:0]\n-A INPUT -j OWN\n-A OWN -j DROP')))
  t.notOk(iptablesFilters(table(':OWN - [0:0]\n-A INPUT -j OWN\n-A OWN -j ACCEPT')))
  t.notOk(nftFilters('table inet filter { chain input { type filter hook input priority 0; policy accept; } }'))
  t.notOk(nftFilters('chain c { comment "drop" ; accept } # drop'))
  t.ok(nftFilters('tcp dport 23 drop'))
  t.ok(nftFilters('chain c{type filter hook input priority 0;policy drop;}'))
  t.end()
})

t.test('netplan and networkd tell templates from interfaces', (t) => {
  const netplan = (text: string) => netplanInterfaces(yamlMember(parseYaml(text), 'network'), 'netplan')
  t.match(netplan('network: {ethernets: {all: {match: {name: "en*"}, dhcp4: true}}}'), [
    { name: 'en*', kind: 'template', ipv4: 'dhcp' },
  ])
  t.match(netplan('network: {ethernets: {id0: {match: {driver: virtio}, dhcp4: yes}}}'), [{ kind: 'template' }])
  t.match(
    netplan(
      'network:\n  ethernets:\n    eth0:\n      addresses: [192.0.2.1/24, "2001:db8::1/64": {label: x}]\n      routes: [{to: default, via: 192.0.2.254}]\n',
    ),
    [{ name: 'eth0', kind: 'physical', ipv4: 'static', route: true, addresses6: ['2001:db8::1'] }],
  )
  t.match(netplan('network: {bonds: {bond0: {interfaces: [a], dhcp4: true}}, vlans: {v1: {id: 1, link: a}}}'), [
    { kind: 'bond' },
    { kind: 'vlan' },
  ])
  const unit = (text: string) => parseNetworkFile('20-x.network', text)
  t.match(unit('[Match]\nName=eth0 eth1\n[Network]\nDHCP=ipv4\n'), {
    catchAll: false,
    interfaces: [{ name: 'eth0', ipv4: 'dhcp' }, { name: 'eth1' }],
  })
  t.match(unit('[Match]\nType=ether\n[Network]\nDHCP=yes\n'), { catchAll: true, interfaces: [{ kind: 'template' }] })
  t.match(
    unit('[Match]\nName=eth0\n[Network]\nAddress=192.0.2.1/24\nGateway=192.0.2.254\n[Address]\nAddress=fd00::1/64\n'),
    {
      interfaces: [{ ipv4: 'static', route: true, addresses6: ['fd00::1'] }],
    },
  )
  t.end()
})

t.test('addresses have their scope', (t) => {
  for (const [address, scope] of [
    ['2001:db8::1', 'global'],
    ['fd12::1', 'unique-local'],
    ['fe80::1%eth0', 'link-local'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['::', undefined],
    ['ff02::1', undefined],
  ] as const)
    t.equal(scopeOf(address), scope, address)
  t.equal(ipv6Of('192.0.2.1/24'), undefined)
  t.equal(ipv6Of('2001:db8::1/64'), '2001:db8::1')
  t.end()
})

t.test('a string is cut without half a character', (t) => {
  t.ok(shown(`${'x'.repeat(9)}\u{1f600}`, 10)?.isWellFormed())
  t.equal(shown('', 5), undefined)
  t.end()
})
