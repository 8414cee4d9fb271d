import { GuestError, type GuestFiles } from '../guest.ts'
import type { Part } from '../part.ts'
import { freebsdKernel, freebsdLoader } from './freebsd-boot.ts'
import { rcAutomatic, rcInterfaces } from './freebsd-network.ts'
import type { LinuxInput } from './input.ts'
import { learnedAddresses } from './leases.ts'
import { networkSection } from './network.ts'
import { isYes, readRcConf } from './rc-conf.ts'
import { serviceListening, sshdInstalled } from './ssh.ts'
import { topic } from './topic.ts'

/** The topics that FreeBSD answers in its own way. */
export async function collectFreebsd(input: LinuxInput, files: GuestFiles): Promise<Part[]> {
  const settings = readRcConf(files)
  return Promise.all([
    topic(['/boot/loader', '/boot/firmware'], 'the loader of FreeBSD', () => freebsdLoader(files, input.disk)),
    topic(['/boot/defaultKernel'], 'the kernel and loader.conf', () => freebsdKernel(files)),
    topic(['/firewall/mechanisms'], 'rc.conf', async () => {
      const rc = await settings
      const pf = { name: 'pf' as const, enabledAtBoot: isYes(rc.get('pf_enable')) }
      const ipfw = { name: 'ipfw' as const, enabledAtBoot: isYes(rc.get('firewall_enable')) }
      return { facts: { firewall: { mechanisms: [pf, ipfw] } } }
    }),
    topic(['/network'], 'rc.conf', async () => {
      const [rc, learned] = await Promise.all([settings, learnedAddresses(files)])
      return { facts: { network: networkSection(rcInterfaces(rc), learned, rcAutomatic(rc)) } }
    }),
    topic(['/remoteAccess/ssh'], 'rc.conf and sshd_config', async () => {
      const [rc, installed] = await Promise.all([settings, sshdInstalled(files)])
      if (!installed)
        return { facts: { remoteAccess: { ssh: { installed, enabledAtBoot: false, ports: [], loopbackOnly: false } } } }
      const { ports, loopbackOnly } = await serviceListening(files, rc.get('sshd_flags') ?? '')
      const enabledAtBoot = isYes(rc.get('sshd_enable'))
      return { facts: { remoteAccess: { ssh: { installed, enabledAtBoot, ports: [...ports], loopbackOnly } } } }
    }),
    topic(['/files/systemFiles/verification'], 'the packages of FreeBSD', () => {
      throw new GuestError('unverifiable', 'The digests of packages do not cover the base system of FreeBSD.')
    }),
  ])
}
