import t from 'tap'
import { isAlibabaBuild, upstreamVersion } from '../../../server/collector/linux/agents.ts'
import { compareVersions } from '../../../server/collector/linux/bls.ts'
import { fromOsRelease, fromRedHatRelease, fromSuseRelease } from '../../../server/collector/linux/distribution.ts'
import { iptablesFilters, nftFilters } from '../../../server/collector/linux/firewall-rules.ts'
import { ipv6Of, scopeOf } from '../../../server/collector/linux/interface.ts'
import { netplanInterfaces } from '../../../server/collector/linux/netplan.ts'
import { parseNetworkFile } from '../../../server/collector/linux/networkd.ts'
import { parseYaml, yamlMember } from '../../../server/collector/linux/yaml.ts'

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
