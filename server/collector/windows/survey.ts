import type { Volume } from '../../documents/facts.ts'
import { GuestError, type GuestFiles } from '../guest.ts'
import { WindowsFiles } from './files.ts'

/** One file system of the image, or an encrypted volume, as the layer below gives it. */
export interface WindowsVolume {
  /** What is known of it without its role. */
  readonly facts: Volume
  /** Undefined when nothing can read it. */
  readonly files?: GuestFiles
}

/** What the root of a volume shows. */
export interface SurveyedVolume {
  readonly facts: Volume
  readonly files: WindowsFiles | undefined
  /** Path of the Windows directory whose registry is there. */
  readonly windows: string | undefined
  /** Which boot files stand in the root; undefined when there are none. */
  readonly loader: 'windows-boot-manager' | 'ntldr' | undefined
  /** Windows' loader for UEFI is there. */
  readonly efiLoader: boolean
  /** A hibernated system lies on it; undefined when that could not be told. */
  readonly hibernated: boolean | undefined
  /** Why its contents are not known. */
  readonly problem: GuestError | undefined
}

const hibernationHeaderBytes = 4096

/** Windows overwrites the signature when it has resumed; a file whose header cannot be had counts as live, as a hibernation file does. */
async function isHibernated(files: WindowsFiles): Promise<boolean> {
  const stat = await files.stat('/hiberfil.sys')
  if (stat === undefined || stat.sizeBytes < hibernationHeaderBytes) return false
  try {
    const header = await files.read('/hiberfil.sys', hibernationHeaderBytes)
    return header === undefined || /^(hibr|rstr)$/i.test(header.toString('latin1', 0, 4))
  } catch (error) {
    if (error instanceof GuestError) return true
    throw error
  }
}

async function look(facts: Volume, files: WindowsFiles): Promise<SurveyedVolume> {
  const there = async (path: string): Promise<boolean> => (await files.find(path)) !== undefined
  const [windows, winnt, bootManager, bootConfiguration, ntldr, efiLoader, hibernated] = await Promise.all([
    there('/Windows/System32/config/SYSTEM'),
    there('/WINNT/System32/config/SYSTEM'),
    there('/bootmgr'),
    there('/Boot/BCD'),
    there('/ntldr'),
    there('/EFI/Microsoft/Boot/bootmgfw.efi'),
    isHibernated(files),
  ])
  return {
    facts,
    files,
    windows: windows ? '/Windows' : winnt ? '/WINNT' : undefined,
    loader: bootManager || bootConfiguration ? 'windows-boot-manager' : ntldr ? 'ntldr' : undefined,
    efiLoader,
    hibernated,
    problem: undefined,
  }
}

async function surveyOne({ facts, files }: WindowsVolume): Promise<SurveyedVolume> {
  const nothing = {
    facts,
    files: undefined,
    windows: undefined,
    loader: undefined,
    efiLoader: false,
    hibernated: undefined,
  }
  if (files === undefined) {
    const code = facts.encryption === undefined || facts.encryption === 'none' ? 'unsupported' : 'encrypted'
    return { ...nothing, problem: new GuestError(code, `The files of ${facts.device ?? 'the volume'} cannot be read.`) }
  }
  try {
    return await look(facts, new WindowsFiles(files))
  } catch (error) {
    const problem = error instanceof GuestError ? error : new GuestError('parser-failed', 'Reading the volume failed.')
    return { ...nothing, problem }
  }
}

/** Looks at the root of every volume for Windows, its boot files and a hibernated system. */
export function surveyVolumes(volumes: readonly WindowsVolume[]): Promise<SurveyedVolume[]> {
  return Promise.all(volumes.map(surveyOne))
}
