import type { Tree, Value } from './hives.ts'

/** What distinguishes one Windows product from another in its registry. */
export interface Product {
  readonly name: string
  readonly version: string
  readonly build: number
  readonly type: 'WinNT' | 'ServerNT' | 'LanmanNT'
  readonly servicePack?: number
  readonly edition?: string
  readonly architecture?: string
}

/** Products by a short name, with the builds that Microsoft published. */
export const products = {
  xp: { name: 'Microsoft Windows XP', version: '5.1', build: 2600, type: 'WinNT', servicePack: 3, architecture: 'x86' },
  server2003: {
    name: 'Microsoft Windows Server 2003',
    version: '5.2',
    build: 3790,
    type: 'ServerNT',
    architecture: 'x86',
  },
  server2003sp1: {
    name: 'Microsoft Windows Server 2003',
    version: '5.2',
    build: 3790,
    type: 'ServerNT',
    servicePack: 1,
  },
  server2003r2: {
    name: 'Microsoft Windows Server 2003 R2',
    version: '5.2',
    build: 3790,
    type: 'ServerNT',
    servicePack: 2,
  },
  server2008: {
    name: 'Windows Server (R) 2008 Standard',
    version: '6.0',
    build: 6002,
    type: 'ServerNT',
    servicePack: 2,
    edition: 'ServerStandard',
  },
  windows7: {
    name: 'Windows 7 Professional',
    version: '6.1',
    build: 7601,
    type: 'WinNT',
    servicePack: 1,
    edition: 'Professional',
  },
  server2008r2: {
    name: 'Windows Server 2008 R2 Standard',
    version: '6.1',
    build: 7601,
    type: 'ServerNT',
    servicePack: 1,
    edition: 'ServerStandard',
  },
  server2012: {
    name: 'Windows Server 2012 Standard',
    version: '6.2',
    build: 9200,
    type: 'ServerNT',
    edition: 'ServerStandard',
  },
  server2012r2: {
    name: 'Windows Server 2012 R2 Standard',
    version: '6.3',
    build: 9600,
    type: 'ServerNT',
    edition: 'ServerStandard',
  },
  windows10: { name: 'Windows 10 Pro', version: '10.0', build: 19045, type: 'WinNT', edition: 'Professional' },
  server2016: {
    name: 'Windows Server 2016 Standard',
    version: '10.0',
    build: 14393,
    type: 'ServerNT',
    edition: 'ServerStandard',
  },
  server2019: {
    name: 'Windows Server 2019 Standard',
    version: '10.0',
    build: 17763,
    type: 'ServerNT',
    edition: 'ServerStandard',
  },
  server1809: {
    name: 'Windows Server Standard',
    version: '10.0',
    build: 17763,
    type: 'ServerNT',
    edition: 'ServerStandardACor',
  },
  server2022: {
    name: 'Windows Server 2022 Standard',
    version: '10.0',
    build: 20348,
    type: 'ServerNT',
    edition: 'ServerStandard',
  },
  controller: {
    name: 'Windows Server 2016 Standard',
    version: '10.0',
    build: 14393,
    type: 'LanmanNT',
    edition: 'ServerStandard',
  },
} satisfies Record<string, Product>

/** The short name of a product. */
export type ProductName = keyof typeof products

/** Keys of the hives SOFTWARE, SYSTEM (in its control set) and SAM. */
export interface HiveTrees {
  readonly software: Tree
  readonly system: Tree
  readonly sam: Tree
}

/** Where the local firewall policy stands, in the control set. */
export const firewallPolicy = 'Services\\SharedAccess\\Parameters\\FirewallPolicy'
/** Where the account with identifier 500 stands. */
export const administratorKey = 'SAM\\Domains\\Account\\Users\\000001F4'

/** The two values of an account as SAM stores them, with a filler where hashes would be. */
export function accountValues(
  options: { name?: string; disabled?: boolean; hashBytes?: number } = {},
): Record<string, Value> {
  const { name = 'Administrator', disabled = false, hashBytes = 56 } = options
  const f = Buffer.alloc(80)
  f.writeUInt32LE(0x00020001, 0)
  f.writeUInt32LE(500, 0x30)
  f.writeUInt16LE(0x0210 | (disabled ? 1 : 0), 0x38)
  const text = Buffer.from(name, 'utf16le')
  const table = Buffer.alloc(0xcc)
  table.writeUInt32LE(0, 0x0c)
  table.writeUInt32LE(text.length, 0x10)
  table.writeUInt32LE(text.length, 0xa8)
  table.writeUInt32LE(hashBytes, 0xac)
  return { F: f, V: Buffer.concat([table, text, Buffer.alloc(hashBytes, 0xaa)]) }
}

/** The registry of a freshly prepared product: firewall off, Remote Desktop on, nothing installed. */
export function treesOf(product: Product): HiveTrees {
  const nt5 = product.version.startsWith('5.')
  const [major, minor] = product.version.split('.').map(Number)
  const pack = product.servicePack
  const profiles = nt5 ? ['DomainProfile', 'StandardProfile'] : ['DomainProfile', 'StandardProfile', 'PublicProfile']
  return {
    software: {
      'Microsoft\\Windows NT\\CurrentVersion': {
        ProductName: product.name,
        CurrentVersion: major === 10 ? '6.3' : product.version,
        ...(major === 10 ? { CurrentMajorVersionNumber: 10, CurrentMinorVersionNumber: minor ?? 0 } : {}),
        CurrentBuildNumber: String(product.build),
        CurrentBuild: nt5 ? '1.511.1 () (Obsolete data - do not use)' : String(product.build),
        SystemRoot: 'C:\\Windows',
        ...(product.edition === undefined ? {} : { EditionID: product.edition }),
        ...(pack === undefined ? {} : { CSDVersion: `Service Pack ${pack}` }),
      },
      'Policies\\Microsoft': {},
    },
    system: {
      'Control\\ProductOptions': { ProductType: product.type },
      'Control\\Windows': { CSDVersion: (pack ?? 0) << 8 },
      'Control\\Session Manager\\Environment': { PROCESSOR_ARCHITECTURE: product.architecture ?? 'AMD64' },
      'Control\\Terminal Server': { fDenyTSConnections: 0 },
      'Control\\Terminal Server\\WinStations\\RDP-Tcp': { PortNumber: 3389 },
      'Services\\TermService': { Start: 3 },
      'Services\\SharedAccess': { Start: nt5 ? 2 : 4 },
      ...(nt5 ? {} : { 'Services\\MpsSvc': { Start: 2 }, [`${firewallPolicy}\\FirewallRules`]: {} }),
      ...Object.fromEntries(profiles.map((profile) => [`${firewallPolicy}\\${profile}`, { EnableFirewall: 0 }])),
    },
    sam: { [administratorKey]: accountValues() },
  }
}

/** The tree with keys changed; a value or a key that is undefined is taken out. */
export function changed(
  tree: Tree,
  changes: Readonly<Record<string, Readonly<Record<string, Value | undefined>> | undefined>>,
): Tree {
  const result: Record<string, Record<string, Value>> = Object.fromEntries(
    Object.entries(tree).map(([path, values]) => [path, { ...values }]),
  )
  for (const [path, values] of Object.entries(changes)) {
    if (values === undefined) {
      for (const key of Object.keys(result)) if (key === path || key.startsWith(`${path}\\`)) delete result[key]
      continue
    }
    const key = result[path] ?? {}
    result[path] = key
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete key[name]
      else key[name] = value
    }
  }
  return result
}
