import type { Command } from 'commander'
import { bundleFolder, verifyBundle } from '../authoring/bundle.ts'
import { type ErrorCode, ImagegateError } from '../errors.ts'
import type { BundleName } from '../policy/set.ts'
import { replaceFile } from '../replace-file.ts'
import type { Context } from './context.ts'
import { errorReport } from './error-report.ts'
import { exitCodes } from './exit.ts'
import { jsonLine } from './json-report.ts'
import { signingKey } from './key-files.ts'
import type { Terminal } from './terminal.ts'
import { type Format, formatOf, formatOption, helpTail, UsageError } from './usage.ts'

interface BundleOptions {
  readonly key?: string
  readonly sequence?: string
  readonly policies?: string
  readonly verify?: boolean
  readonly publicKey?: string
  readonly format?: Format
}

const help = helpTail(
  [
    'openssl genpkey -algorithm ed25519 -out key.pem && openssl pkey -in key.pem -pubout -out public.pem',
    'imagegate policy bundle policies.tar --key key.pem',
    'imagegate policy bundle policies.tar --verify --public-key public.pem',
    'IMAGEGATE_POLICIES=policies.tar IMAGEGATE_POLICY_PUBLIC_KEY=public.pem imagegate serve',
  ],
  [
    '0  written, or verified',
    '1  a policy is not valid or differs from the lock, or the bundle is refused',
    '3  could not run: a file cannot be read or written, or a key cannot be used',
  ],
  [
    'The same policies, sequence and key give the same bytes. A service takes no bundle with a lower sequence',
    'than the highest that it has served. Left out, the sequence is the number of releases and withdrawals in',
    'the lock, which grows with every one of them.',
  ],
)

const findings: readonly ErrorCode[] = [
  'POLICY_INVALID',
  'POLICY_CHANGED',
  'BUNDLE_INVALID',
  'BUNDLE_SIGNATURE_INVALID',
  'BUNDLE_CHANGED',
]

function sequenceOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  if (/^[1-9]\d{0,14}$/.test(given)) return Number(given)
  throw new UsageError('--sequence is a whole number from 1 on.')
}

async function make(file: string, options: BundleOptions, terminal: Terminal): Promise<BundleName> {
  const { key, policies, publicKey } = options
  if (publicKey !== undefined) throw new UsageError('--public-key is for --verify; --key signs.')
  if (key === undefined) throw new UsageError('--key is needed: the private key that signs the bundle.')
  const sequence = sequenceOf(options.sequence)
  const folder = policies ?? terminal.config().policies
  const { bytes, bundle } = await bundleFolder(folder, await signingKey(key), sequence)
  await replaceFile(file, bytes)
  return bundle
}

async function verify(file: string, { key, publicKey, sequence, policies }: BundleOptions): Promise<BundleName> {
  if (key !== undefined || sequence !== undefined || policies !== undefined) {
    throw new UsageError('--verify takes --public-key and neither --key, --sequence nor --policies.')
  }
  if (publicKey === undefined) throw new UsageError('--verify needs --public-key: the key that must have signed it.')
  return verifyBundle(file, publicKey)
}

/** Adds `imagegate policy bundle`. */
export function addPolicyBundle(policy: Command, { terminal, exit }: Context): void {
  policy
    .command('bundle')
    .summary('make or verify a signed bundle of policies')
    .description('Makes one signed file of all released policies, or verifies one.')
    .argument('<file>', 'the bundle, written or with --verify read')
    .option('--key <file>', 'Ed25519 private key in PEM that signs')
    .option('--sequence <number>', 'order of bundles (default: from the lock)')
    .option('--policies <folder>', 'folder of the policies (default: the configured one)')
    .option('--verify', 'verify the bundle and write nothing')
    .option('--public-key <file>', 'Ed25519 public key in PEM that must have signed')
    .addOption(formatOption())
    .addHelpText('after', help)
    .action(async (file: string, options: BundleOptions) => {
      try {
        const bundle = options.verify === true ? await verify(file, options) : await make(file, options, terminal)
        const { sequence, digest, signedBy } = bundle
        const done = options.verify === true ? 'verified' : 'written'
        const human = `${done}: sequence ${sequence}\n  manifest   ${digest}\n  signed by  ${signedBy}\n`
        const json = jsonLine({ file, result: done, sequence, digest, signedBy })
        await terminal.stdout.write(formatOf(options.format, terminal.stdout) === 'human' ? human : json)
        exit(exitCodes.ready)
      } catch (error) {
        if (!(error instanceof ImagegateError) || !findings.includes(error.code)) throw error
        await terminal.stderr.write(errorReport(error))
        exit(exitCodes.notReady)
      }
    })
}
