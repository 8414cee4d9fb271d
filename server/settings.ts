/** One environment variable. */
export interface Setting {
  readonly name: string
  /** As it would stand in the environment. */
  readonly default: string
  readonly description: string
  readonly schema: Readonly<Record<string, unknown>>
}

const whole = (minimum: number, maximum: number) => ({ type: 'integer', minimum, maximum })
const pointer = { type: 'string', maxLength: 255, pattern: '^(/([^~/]|~[01])+)+$' }
const text = { type: 'string', minLength: 1, maxLength: 4096 }

/** Every environment variable that imagegate reads, for --help and the documentation. */
export const settings = [
  {
    name: 'IMAGEGATE_HOST',
    default: '127.0.0.1',
    description: 'Address to listen on. Other than loopback only with IMAGEGATE_AUTHENTICATION=required.',
    schema: { type: 'string', pattern: '^[0-9A-Za-z.:-]{1,255}$' },
  },
  {
    name: 'IMAGEGATE_PORT',
    default: '8080',
    description: 'TCP port, 0 to 65535; 0 takes a free one.',
    schema: whole(0, 65_535),
  },
  {
    name: 'IMAGEGATE_HEALTH_PORT',
    default: 'none: they are answered where everything is',
    description:
      'TCP port, 0 to 65535, at which /health/live and /health/ready alone are answered, too, over plain HTTP: for probes that have no certificate of IMAGEGATE_TLS_CLIENT_CA.',
    schema: whole(0, 65_535),
  },
  {
    name: 'IMAGEGATE_AUTHENTICATION',
    default: 'none',
    description:
      'none: everybody on this machine may do everything, and nobody else is answered. required: every caller shows an API key, or a token of IMAGEGATE_OIDC_ISSUER.',
    schema: { type: 'string', enum: ['none', 'required'] },
  },
  {
    name: 'IMAGEGATE_OIDC_ISSUER',
    default: 'none: API keys alone are accepted',
    description: 'The issuer whose JWT bearer tokens are accepted, exactly as their iss claim names it: an https: URL.',
    schema: text,
  },
  {
    name: 'IMAGEGATE_OIDC_AUDIENCE',
    default: 'none',
    description: 'What the aud claim of a token must name; needed with IMAGEGATE_OIDC_ISSUER.',
    schema: text,
  },
  {
    name: 'IMAGEGATE_OIDC_JWKS_URL',
    default: "what the issuer's /.well-known/openid-configuration says",
    description: "The issuer's key set, as an https: URL.",
    schema: text,
  },
  {
    name: 'IMAGEGATE_OIDC_ALGORITHMS',
    default: 'RS256 PS256 ES256 ES384 EdDSA',
    description: 'Signature algorithms that are accepted, separated by spaces; those with a shared secret never are.',
    schema: {
      type: 'string',
      maxLength: 200,
      pattern:
        '^(RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|ES512|EdDSA|Ed25519)( (RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|ES512|EdDSA|Ed25519))*$',
    },
  },
  {
    name: 'IMAGEGATE_OIDC_TENANT_CLAIM',
    default: '/imagegate_tenant',
    description: 'JSON Pointer of the claim that names the tenant.',
    schema: pointer,
  },
  {
    name: 'IMAGEGATE_OIDC_ROLES_CLAIM',
    default: '/imagegate_roles',
    description: 'JSON Pointer of the claim that names a role, or of a list of them, such as /realm_access/roles.',
    schema: pointer,
  },
  {
    name: 'IMAGEGATE_OIDC_ROLES',
    default: 'submitter=submitter reader=reader auditor=auditor operator=operator admin=admin',
    description:
      'What that claim says for which role, as NAME=ROLE separated by spaces, such as gate-audit=auditor. Nothing else counts.',
    schema: {
      type: 'string',
      maxLength: 4096,
      pattern: '^[^ =]+=(submitter|reader|auditor|operator|admin)( [^ =]+=(submitter|reader|auditor|operator|admin))*$',
    },
  },
  {
    name: 'IMAGEGATE_TLS_CERTIFICATE',
    default: 'none: the service speaks plain HTTP',
    description: 'File of the certificate in PEM, followed by those between it and the root. SIGHUP reads it again.',
    schema: text,
  },
  {
    name: 'IMAGEGATE_TLS_KEY',
    default: 'none',
    description: "File of the certificate's private key in PEM, not encrypted.",
    schema: text,
  },
  {
    name: 'IMAGEGATE_TLS_CLIENT_CA',
    default: 'none: clients need no certificate',
    description: 'File of certificates in PEM; only clients with a certificate of one of them can connect.',
    schema: text,
  },
  {
    name: 'IMAGEGATE_API_KEY',
    default: 'none',
    description: 'For commands with --server: the API key or token that they show it.',
    schema: { type: 'string', maxLength: 8192, pattern: '^[!-~]+$' },
  },
  {
    name: 'IMAGEGATE_RATE_LIMIT',
    default: '6000',
    description:
      'Requests, 0 to 999999, of one caller in a minute; 0 is without limit. A batch is one. Callers without names are not limited.',
    schema: whole(0, 999_999),
  },
  {
    name: 'IMAGEGATE_RATE_LIMIT_FAILURES',
    default: '60',
    description:
      'Requests, 0 to 999999, without a valid credential that one address is told so in a minute; 0 is without limit.',
    schema: whole(0, 999_999),
  },
  {
    name: 'IMAGEGATE_TRUSTED_PROXIES',
    default: 'none: the address that connects is the one that counts',
    description:
      'Addresses of load balancers, or networks as 10.0.0.0/8, separated by spaces: of what they pass on, the address that X-Forwarded-For names last and that is none of them counts.',
    schema: {
      type: 'string',
      maxLength: 1000,
      pattern: '^[0-9A-Fa-f.:]{2,45}(/[0-9]{1,3})?( [0-9A-Fa-f.:]{2,45}(/[0-9]{1,3})?)*$',
    },
  },
  {
    name: 'IMAGEGATE_DATABASE_URL',
    default: 'file:./data/imagegate.db',
    description: 'The database: a file: URL or a path for SQLite, or postgres://role:password@host:port/name.',
    schema: text,
  },
  {
    name: 'IMAGEGATE_DATABASE_PASSWORD_FILE',
    default: 'none',
    description: 'File of the password of the PostgreSQL role, for URLs of databases that hold none.',
    schema: text,
  },
  {
    name: 'IMAGEGATE_READ_DATABASE_URL',
    default: 'none: audit queries go to the database itself',
    description: 'A replica of the PostgreSQL database that audit queries are read from, as a postgres: URL.',
    schema: text,
  },
  {
    name: 'IMAGEGATE_POLICIES',
    default: 'the policies that come with imagegate',
    description: 'Folder of the policies and their lock; with IMAGEGATE_POLICY_PUBLIC_KEY, a bundle of them.',
    schema: text,
  },
  {
    name: 'IMAGEGATE_POLICY_PUBLIC_KEY',
    default: 'none: the policies are a folder',
    description: 'File of an Ed25519 public key in PEM. Policies are then taken from a bundle that it signed, only.',
    schema: text,
  },
  {
    name: 'IMAGEGATE_POLICY_CANDIDATE',
    default: 'none',
    description:
      'A policy file that is evaluated in shadow beside the policy in force: recorded apart, never answered.',
    schema: text,
  },
  {
    name: 'IMAGEGATE_POLICY_WATCH',
    default: 'no',
    description: 'yes or no. yes reloads the policies when they have changed on disk; SIGHUP does so at any time.',
    schema: { type: 'string', enum: ['yes', 'no'] },
  },
  {
    name: 'IMAGEGATE_CHECKPOINT_KEY',
    default: 'none: no checkpoints are signed',
    description: 'File of an Ed25519 private key in PEM that signs checkpoints of the chain of verdicts.',
    schema: text,
  },
  {
    name: 'IMAGEGATE_CHECKPOINT_DIRECTORY',
    default: 'none: checkpoints are kept in the database alone',
    description: 'Directory outside the database in which every checkpoint is kept, too; each process has its own.',
    schema: text,
  },
  {
    name: 'IMAGEGATE_CHECKPOINT_SECONDS',
    default: '60',
    description: 'Seconds, 1 to 86400, between two checkpoints; one is also signed whenever 4096 verdicts wait for it.',
    schema: whole(1, 86_400),
  },
  {
    name: 'IMAGEGATE_LOG_LEVEL',
    default: 'info',
    description: 'fatal, error, warn, info, debug, trace or silent.',
    schema: { type: 'string', enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] },
  },
  {
    name: 'IMAGEGATE_BODY_SECONDS',
    default: '30',
    description: 'Seconds, 1 to 3600, in which a body, or the next part of a batch, must arrive.',
    schema: whole(1, 3600),
  },
  {
    name: 'IMAGEGATE_BATCH_WINDOW',
    default: '64',
    description: 'Lines, 1 to 1024, of one batch that are evaluated at a time.',
    schema: whole(1, 1024),
  },
  {
    name: 'IMAGEGATE_MAX_CONNECTIONS',
    default: '1024',
    description: 'Connections, 1 to 65535, that are open at a time; each may hold a body of 1 MiB.',
    schema: whole(1, 65_535),
  },
  {
    name: 'IMAGEGATE_MAX_DELAY_MS',
    default: '1000',
    description: 'Milliseconds of event-loop delay above which requests are turned away; 0 never does.',
    schema: whole(0, 60_000),
  },
  {
    name: 'IMAGEGATE_SHUTDOWN_SECONDS',
    default: '20',
    description: 'Seconds, 1 to 3600, that requests in flight have to finish when the service stops.',
    schema: whole(1, 3600),
  },
  {
    name: 'IMAGEGATE_SHUTDOWN_DELAY_SECONDS',
    default: '0',
    description: 'Seconds, 0 to 600, between turning unready and accepting nothing more.',
    schema: whole(0, 600),
  },
] as const satisfies readonly Setting[]

/** The schema of all of them together; digits are numbers where a number is due. */
export const settingsSchema = {
  type: 'object',
  properties: Object.fromEntries(settings.map(({ name, schema }) => [name, schema])),
}

/** The name of one of them. */
export type SettingName = (typeof settings)[number]['name']
