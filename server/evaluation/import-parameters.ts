import type { FactDocument, Os } from '../documents/facts.ts'
import type { Options, Verdict } from '../documents/verdict.ts'

type ImportParameters = Verdict['importParameters']

const gibibyte = 2 ** 30

/** Platform names of the cloud's ImportImage call (its API reference), by normalised distribution identifier. */
const linuxPlatforms: Readonly<Record<string, string>> = {
  aliyun: 'Aliyun',
  alinux: 'Aliyun',
  centos: 'CentOS',
  coreos: 'CoreOS',
  debian: 'Debian',
  freebsd: 'FreeBSD',
  opensuse: 'OpenSUSE',
  rhel: 'RedHat',
  sles: 'SUSE',
  ubuntu: 'Ubuntu',
}

const windowsPlatforms: Readonly<Record<string, string>> = {
  '5.2': 'Windows Server 2003',
  '6.0': 'Windows Server 2008',
  '6.1': 'Windows Server 2008',
  '6.2': 'Windows Server 2012',
  '6.3': 'Windows Server 2012',
}

/** NT 10.0 is told apart by build. */
const windows10Platforms: Readonly<Record<number, string>> = {
  14393: 'Windows Server 2016',
  17763: 'Windows Server 2019',
}

function windowsPlatform({ ntVersion, build, productType }: NonNullable<Os['windows']>): string | undefined {
  if (productType === undefined || productType === 'workstation' || ntVersion === undefined) return undefined
  return ntVersion === '10.0' ? windows10Platforms[build ?? 0] : windowsPlatforms[ntVersion]
}

function platformOf(os: Os | undefined, importAs: Options['importAs']): string | undefined {
  if (importAs === 'others-linux') return 'Others Linux'
  if (importAs === 'customized-linux') return 'Customized Linux'
  if (os?.windows !== undefined) return windowsPlatform(os.windows)
  return os?.id !== undefined && Object.hasOwn(linuxPlatforms, os.id) ? linuxPlatforms[os.id] : undefined
}

/** The system disk in GiB: the requested one, else the virtual size rounded up, and not below the policy's minimum. */
function diskSize(virtualSize: number | undefined, options: Options, minimum: number): number | undefined {
  const { sizeBytes } = options.systemDisk
  if (sizeBytes !== undefined) return Math.ceil(sizeBytes / gibibyte)
  return virtualSize === undefined ? undefined : Math.ceil(Math.max(virtualSize, minimum) / gibibyte)
}

const containerFormats: Readonly<Record<string, 'RAW' | 'QCOW2' | 'VHD'>> = { raw: 'RAW', qcow2: 'QCOW2', vhd: 'VHD' }
const bootModes: Readonly<Record<string, 'BIOS' | 'UEFI'>> = { bios: 'BIOS', uefi: 'UEFI' }

/**
 * Request parameters of the cloud's ImportImage call, by its own names, as far as the facts determine them.
 * `minimumBytes` is the policy's smallest system disk, 0 where it states none.
 */
export function importParametersOf(facts: FactDocument, options: Options, minimumBytes: number): ImportParameters {
  const { os, image, boot } = facts
  const architecture = os?.architecture === 'other' ? undefined : os?.architecture
  const bootMode = bootModes[boot?.firmware ?? '']
  const size = diskSize(image?.virtualSizeBytes, options, minimumBytes)
  const format = containerFormats[image?.format ?? '']
  const osType = os?.type === undefined ? undefined : os.type === 'windows' ? 'windows' : 'linux'
  const platform = platformOf(os, options.importAs)
  return {
    ...(architecture === undefined ? {} : { Architecture: architecture }),
    ...(bootMode === undefined ? {} : { BootMode: bootMode }),
    ...(size === undefined ? {} : { 'DiskDeviceMapping.1.DiskImageSize': size }),
    ...(format === undefined ? {} : { 'DiskDeviceMapping.1.Format': format }),
    ...(osType === undefined ? {} : { OSType: osType }),
    ...(platform === undefined ? {} : { Platform: platform }),
  }
}
