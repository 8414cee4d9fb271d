import type { ErrorKind } from './error-kind.ts'

/** What keeps a service from starting or a command from being done; errors.ts has those of requests. */
export const serviceErrors = {
  CONFIG_INVALID: {
    status: 500,
    title: 'The configuration is not valid',
    mend: 'Correct the environment variables that problems names; imagegate serve --help lists them.',
  },
  POLICY_INVALID: {
    status: 500,
    title: 'A policy file is not valid',
    mend: 'Correct the lines that problems names.',
  },
  POLICY_CHANGED: {
    status: 500,
    title: 'A released policy was changed',
    mend: 'Restore the file; make a new version for a change.',
  },
  BUNDLE_INVALID: {
    status: 500,
    title: 'The file is not a sound bundle of policies',
    mend: 'Make it again with imagegate policy bundle, and carry it unchanged.',
  },
  BUNDLE_SIGNATURE_INVALID: {
    status: 500,
    title: 'The bundle is not signed with the expected key',
    mend: 'Check which key signs bundles, and give its public part; a bundle of unknown origin is not to be served.',
  },
  BUNDLE_CHANGED: {
    status: 500,
    title: 'A file of the bundle is not the one that was signed',
    mend: 'Carry the bundle again from where it was signed.',
  },
  BUNDLE_ROLLBACK: {
    status: 500,
    title: 'The bundle is older than one that was served',
    mend: 'Serve the newest bundle; to take a version back, withdraw it in the lock and make a bundle of that.',
  },
  TLS_INVALID: {
    status: 500,
    title: 'The certificate cannot be used',
    mend: 'Give a certificate and its own private key, both in PEM, the key not encrypted.',
  },
  KEY_INVALID: {
    status: 500,
    title: 'The key cannot be used',
    mend: 'Give an Ed25519 key in PEM, not encrypted, as openssl genpkey -algorithm ed25519 makes it.',
  },
  POLICY_TEST_INVALID: {
    status: 500,
    title: 'A file beside the policies is not valid',
    mend: 'Correct the lines that problems names; schemas/policy-test.schema.json describes a file of cases.',
  },
  POLICY_VERSION_TOO_SMALL: {
    status: 500,
    title: "A policy's version is too small for what it changes",
    mend: 'Raise the version as the detail says; imagegate policy diff shows what demands it.',
  },
  POLICY_CASES_FAIL: {
    status: 500,
    title: 'A case does not hold for its policy',
    mend: 'See imagegate policy test, and correct the case or the policy.',
  },
  STORE_INCOMPATIBLE: {
    status: 500,
    title: 'The database does not fit this version of imagegate',
    mend: 'Use the version that migrated it, or restore the migration files.',
  },
  COPY_REFUSED: {
    status: 500,
    title: 'The target of the copy holds other verdicts',
    mend: 'Copy to an empty database, or to the one that an interrupted copy of the same source has left.',
  },
  COPY_DIFFERS: {
    status: 500,
    title: 'The copy did not prove to be whole and the same',
    mend: 'Do not serve the copy. Verify the source with imagegate audit verify, and copy it to an empty database.',
  },
  BACKUP_FAILED: {
    status: 500,
    title: 'The database could not be backed up',
    mend: 'See that the disk is whole and has room for the database once more, and run the command again.',
  },
  FILE_EXISTS: {
    status: 500,
    title: 'A file is there already',
    mend: 'Name another file, or replace it with --force.',
  },
  FILE_UNREADABLE: { status: 500, title: 'A file cannot be read', mend: 'Check its path and permissions.' },
  IMAGE_CHANGED: {
    status: 500,
    title: 'The image was written to while it was read',
    mend: 'Stop what writes to it, or copy it, and run the command again.',
  },
  INTERRUPTED: {
    status: 500,
    title: 'A signal stopped the command',
    mend: 'Run it again; nothing was changed.',
  },
  SERVER_UNREACHABLE: {
    status: 502,
    title: 'The server did not answer as expected',
    mend: 'Check its address with curl SERVER/health/ready.',
  },
} as const satisfies Record<string, ErrorKind>
