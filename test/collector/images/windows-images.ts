import { driverFile } from '../windows/drivers.ts'
import type { GuestDescription } from '../windows/guest.ts'
import { buildWindowsImage, type ImagePartition, imagePrograms, type WindowsImage } from '../windows/image.ts'
import { accountValues, administratorKey, firewallPolicy } from '../windows/products.ts'
import type { TestImage } from './linux-images.ts'

/** Programs that every Windows image needs. */
export const windowsPrograms: readonly string[] = imagePrograms

const viostor = '/Windows/System32/drivers/viostor.sys'
const redHat = driverFile({ company: 'Red Hat, Inc.', signer: 'Red Hat, Inc.' })
const community = driverFile({ company: 'Example Community' })
const espType = 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B'
const reservedType = 'E3C9E316-0B5C-4DB8-817D-F92DF00215AE'

/** A fresh system with drivers of Red Hat on a volume with room to spare. */
const partition = (guest: GuestDescription = {}, more: Partial<ImagePartition> = {}): ImagePartition => ({
  guest: { ...guest, files: { [viostor]: redHat, ...guest.files } },
  size: 160,
  ...more,
})

const image = (
  name: string,
  requirement: string,
  guest: GuestDescription = {},
  more: Partial<ImagePartition> = {},
  disk: Partial<WindowsImage> = {},
): TestImage => ({
  name,
  requirement,
  build: (path) => buildWindowsImage(path, { partitions: [partition(guest, more)], ...disk }),
})

const publicOn = { [`${firewallPolicy}\\PublicProfile`]: { EnableFirewall: 1 } }
const openRule =
  'v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|App=System|Svc=termservice|Name=RDP|Desc=RDP|'

/** Windows disks, the good one first. */
export const windowsImages: readonly TestImage[] = [
  image('windows-2019', 'W-10'),
  image('windows-2003-sp1', 'W-10', { product: 'server2003sp1', files: { [viostor]: undefined } }),
  image('windows-2008-r2', 'W-10', { product: 'server2008r2' }),
  image('windows-2012-r2', 'W-10', { product: 'server2012r2' }),
  image('windows-2016-controller', 'W-10', { product: 'controller' }),
  image('windows-2003', 'W-10', { product: 'server2003', files: { [viostor]: undefined } }),
  image('windows-1809', 'W-10', { product: 'server1809' }),
  image('windows-2022', 'W-10', { product: 'server2022' }),
  image('windows-10', 'W-09', { product: 'windows10' }),
  image('windows-xp', 'W-09', { product: 'xp', files: { [viostor]: undefined } }),
  image('windows-dirty', 'W-01', {}, { dirty: true }),
  image('windows-hibernated', 'W-01', { files: { '/hiberfil.sys': 'hibr'.padEnd(4096, '\0') } }),
  image('windows-little-room', 'W-03', {}, { size: 64 }),
  image('windows-firewall-on', 'W-05', {
    system: { ...publicOn, [`${firewallPolicy}\\FirewallRules`]: { RDP: openRule } },
  }),
  image('windows-firewall-closed', 'W-06', { system: publicOn }),
  image('windows-rdp-denied', 'W-06', { system: { 'Control\\Terminal Server': { fDenyTSConnections: 1 } } }),
  image('windows-rdp-elsewhere', 'W-06', {
    system: { 'Control\\Terminal Server\\WinStations\\RDP-Tcp': { PortNumber: 3390 } },
  }),
  image('windows-empty-password', 'W-07', { sam: { [administratorKey]: accountValues({ hashBytes: 24 }) } }),
  image('windows-disabled-administrator', 'W-07', { sam: { [administratorKey]: accountValues({ disabled: true }) } }),
  image('windows-guest-agent', 'W-08', { system: { 'Services\\QEMU-GA': { Start: 2 } } }),
  image('windows-community-driver', 'W-11', { files: { [viostor]: community } }),
  image('windows-community-read-only', 'W-11', { files: { [viostor]: community } }, { readOnly: [viostor] }),
  image('windows-red-hat-read-only', 'W-11', {}, { readOnly: [viostor] }),
  image('windows-bitlocker', 'W-12', {}, {}, { partitions: [partition(), { bitLocker: true }] }),
  image(
    'windows-two-volumes',
    'W-14',
    {},
    {},
    { partitions: [partition(), { contents: new Map([['/data.txt', Buffer.from('x')]]), size: 24 }] },
  ),
  image(
    'windows-gpt',
    'W-13',
    {},
    {},
    {
      table: 'gpt',
      partitions: [{ type: espType, size: 8 }, { type: reservedType, size: 8 }, partition()],
    },
  ),
]
