import t from 'tap'
import { collectGuest } from './collecting.ts'
import type { GuestDescription } from './guest.ts'
import { firewallPolicy } from './products.ts'
import { lacking } from './programs.ts'

const skip = lacking('hivexsh', 'hivexregedit')
const server = 'Control\\Terminal Server'
const policyRules = 'Policies\\Microsoft\\WindowsFirewall\\FirewallRules'
const stock =
  'v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|App=%SystemRoot%\\system32\\svchost.exe|Svc=termservice|Name=@FirewallAPI.dll,-28753|Desc=@FirewallAPI.dll,-28756|EmbedCtxt=@FirewallAPI.dll,-28752|'

const rdpOf = async (guest: GuestDescription) => (await collectGuest(guest)).facts.remoteAccess?.rdp
const withRules = (...rules: string[]): GuestDescription => ({
  system: { [`${firewallPolicy}\\FirewallRules`]: Object.fromEntries(rules.map((rule, index) => [`R${index}`, rule])) },
})

t.test('a prepared server allows connections, and no port was seen open because nothing runs', { skip }, async (t) => {
  t.same(await rdpOf({}), {
    connectionsAllowed: true,
    serviceDisabled: false,
    port: 3389,
    listeningPorts: [],
    allowedByFirewall: false,
  })
})

t.test('switch, group policy, service and port are told one at a time', { skip }, async (t) => {
  t.match(await rdpOf({ system: { [server]: { fDenyTSConnections: 1 } } }), { connectionsAllowed: false })
  const policy = 'Policies\\Microsoft\\Windows NT\\Terminal Services'
  t.match(await rdpOf({ software: { [policy]: { fDenyTSConnections: 1 } } }), { connectionsAllowed: false })
  t.match(
    await rdpOf({ system: { [server]: { fDenyTSConnections: 1 } }, software: { [policy]: { fDenyTSConnections: 0 } } }),
    { connectionsAllowed: true },
  )
  t.match(await rdpOf({ system: { 'Services\\TermService': { Start: 4 } } }), { serviceDisabled: true })
  t.match(await rdpOf({ system: { [`${server}\\WinStations\\RDP-Tcp`]: { PortNumber: 3390 } } }), { port: 3390 })
})

t.test('what is not set is missing', { skip }, async (t) => {
  const { facts, missing } = await collectGuest({
    system: {
      [server]: { fDenyTSConnections: undefined },
      'Services\\TermService': { Start: 9 },
      [`${server}\\WinStations\\RDP-Tcp`]: { PortNumber: 65_536 },
      [`${firewallPolicy}\\FirewallRules`]: undefined,
    },
  })
  t.same(facts.remoteAccess?.rdp, { listeningPorts: [] })
  const names = ['connectionsAllowed', 'serviceDisabled', 'port', 'allowedByFirewall']
  t.same(
    missing.filter(({ pointer }) => pointer.startsWith('/remoteAccess')).map(({ pointer }) => pointer),
    names.map((name) => `/remoteAccess/rdp/${name}`),
  )
})

t.test('an active inbound rule for TCP 3389 lets the port in', { skip }, async (t) => {
  const all = stock.replace('LPort', 'Profile=Domain|Profile=Private|Profile=Public|LPort')
  for (const rule of [
    stock,
    all,
    stock.replace('LPort=3389', 'LPort2_10=3000-4000'),
    stock.replace('LPort=3389|', ''),
  ]) {
    t.match(await rdpOf(withRules(rule)), { allowedByFirewall: true }, rule)
  }
  const split = [
    stock.replace('LPort', 'Profile=Domain|LPort'),
    stock.replace('LPort', 'Profile=Private|Profile=Public|LPort'),
  ]
  t.match(await rdpOf(withRules(...split)), { allowedByFirewall: true }, 'two rules that cover all profiles')
  t.match(
    await rdpOf({ software: { [policyRules]: { R: stock } } }),
    { allowedByFirewall: true },
    'of the group policy',
  )
})

t.test('a rule for something else does not', { skip }, async (t) => {
  const changes = [
    ['Active=TRUE', 'Active=FALSE'],
    ['Dir=In', 'Dir=Out'],
    ['Protocol=6', 'Protocol=17'],
    ['LPort=3389', 'LPort=33890'],
    ['LPort=3389', 'LPort=RPC'],
    ['LPort=3389', 'LPort2_10=1-3388'],
    ['svchost.exe', 'other.exe'],
    ['Svc=termservice', 'Svc=dnscache'],
    ['Protocol=6', 'AppPkgId=S-1-15-2-1'],
    ['v2.10', ''],
  ] as const
  for (const [from, to] of changes) {
    t.match(await rdpOf(withRules(stock.replace(from, to))), { allowedByFirewall: false }, `${from} to ${to}`)
  }
  t.match(await rdpOf(withRules(stock, stock.replace('Allow', 'Block'))), { allowedByFirewall: false }, 'blocked again')
})

t.test('a rule for some profiles or addresses, or one that is overridden, leaves it undecided', { skip }, async (t) => {
  const guests = [
    withRules(stock.replace('LPort', 'Profile=Domain|LPort')),
    withRules(stock.replace('LPort', 'RA4=LocalSubnet|LPort')),
    withRules(stock.replace('LPort', 'Unheard=1|LPort')),
    withRules(stock, stock.replace('Allow', 'Block').replace('LPort', 'Profile=Public|LPort')),
    {
      system: {
        [`${firewallPolicy}\\FirewallRules`]: { R: stock },
        [`${firewallPolicy}\\PublicProfile`]: { DoNotAllowExceptions: 1 },
      },
    },
    {
      ...withRules(stock),
      software: { 'Policies\\Microsoft\\WindowsFirewall\\PublicProfile': { AllowLocalPolicyMerge: 0 } },
    },
  ]
  for (const guest of guests) {
    const { facts, missing } = await collectGuest(guest)
    t.notOk('allowedByFirewall' in (facts.remoteAccess?.rdp ?? {}))
    t.match(
      missing.find(({ pointer }) => pointer === '/remoteAccess/rdp/allowedByFirewall'),
      { code: 'undecided' },
    )
  }
})

t.test('Server 2003 keeps open ports in lists of its two profiles', { skip }, async (t) => {
  const lists = (domain: string, standard: string): GuestDescription => ({
    product: 'server2003r2',
    system: {
      [`${firewallPolicy}\\DomainProfile\\GloballyOpenPorts\\List`]: { '3389:TCP': domain },
      [`${firewallPolicy}\\StandardProfile\\GloballyOpenPorts\\List`]: { '3389:TCP': standard },
    },
  })
  const open = '3389:TCP:*:Enabled:@xpsp2res.dll,-22009'
  const closed = '3389:TCP:*:Disabled:@xpsp2res.dll,-22009'
  t.match(await rdpOf(lists(open, open)), { allowedByFirewall: true })
  t.match(await rdpOf(lists(closed, closed)), { allowedByFirewall: false })
  t.match(await rdpOf({ product: 'server2003r2' }), { allowedByFirewall: false })
  for (const guest of [lists(open, closed), lists(open, '3389:TCP:LocalSubNet:Enabled:x')]) {
    t.notOk('allowedByFirewall' in ((await rdpOf(guest)) ?? {}))
  }
})
