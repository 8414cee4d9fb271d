import { isIP } from 'node:net'
import { resolve } from 'node:path'
import type { SettingName } from './settings.ts'

/** The issuer whose tokens are accepted. */
export interface IssuerConfig {
  readonly issuer: string
  readonly audience: string
  /** Where its keys are; else its description says so. */
  readonly jwksUrl?: string
  readonly algorithms: readonly string[]
  /** JSON Pointers of claims. */
  readonly tenantClaim: string
  readonly rolesClaim: string
  /** What the roles' claim says, and the role that it means. */
  readonly roleNames: Readonly<Record<string, string>>
}

/** Who may call, and how often. */
export interface AccessConfig {
  /** Every caller says who it is; else everybody may do everything, and only this machine is answered. */
  readonly authenticated: boolean
  readonly issuer?: IssuerConfig
  /** Files in PEM, by absolute paths. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientCa?: string }
  /** What commands show a server. */
  readonly apiKey?: string
  /** Requests of one caller; 0 is without limit. */
  readonly requestsPerMinute: number
  /** Requests without a valid credential from one address; 0 is without limit. */
  readonly failuresPerMinute: number
  /** Addresses and networks whose word for who sent a request is taken. */
  readonly trustedProxies: readonly string[]
}

interface Given {
  /** As it stands in the environment, or undefined. */
  given(name: SettingName): string | undefined
  /** As given, or the default. */
  word(name: SettingName): string
  number(name: SettingName): number
  say(name: SettingName, message: string): unknown
}

/** True for a name or address that only this machine can mean. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** http: only for this machine: whoever sits between could give keys of their own. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, '')))
}

function issuerOf({ given, word, say }: Given): IssuerConfig | undefined {
  const issuer = given('IMAGEGATE_OIDC_ISSUER')
  if (issuer === undefined) return undefined
  const audience = given('IMAGEGATE_OIDC_AUDIENCE')
  if (audience === undefined) {
    say(
      'IMAGEGATE_OIDC_AUDIENCE',
      'IMAGEGATE_OIDC_ISSUER needs IMAGEGATE_OIDC_AUDIENCE: tokens for others are no credential here.',
    )
  }
  const jwksUrl = given('IMAGEGATE_OIDC_JWKS_URL')
  for (const [name, url] of [
    ['IMAGEGATE_OIDC_ISSUER', issuer],
    ['IMAGEGATE_OIDC_JWKS_URL', jwksUrl],
  ] as const) {
    if (url !== undefined && !isSafeUrl(url)) say(name, `${name} is not an https: URL; http: is for loopback alone.`)
  }
  const pairs = word('IMAGEGATE_OIDC_ROLES').split(' ')
  return {
    issuer,
    audience: audience ?? '',
    ...(jwksUrl !== undefined && { jwksUrl }),
    algorithms: word('IMAGEGATE_OIDC_ALGORITHMS').split(' '),
    tenantClaim: word('IMAGEGATE_OIDC_TENANT_CLAIM'),
    rolesClaim: word('IMAGEGATE_OIDC_ROLES_CLAIM'),
    roleNames: Object.fromEntries(
      pairs.map((pair) => [pair.slice(0, pair.lastIndexOf('=')), pair.slice(pair.lastIndexOf('=') + 1)]),
    ),
  }
}

function tlsOf({ given, say }: Given): AccessConfig['tls'] {
  const certificate = given('IMAGEGATE_TLS_CERTIFICATE')
  const key = given('IMAGEGATE_TLS_KEY')
  const clientCa = given('IMAGEGATE_TLS_CLIENT_CA')
  if (certificate !== undefined && key !== undefined) {
    return { certificate: resolve(certificate), key: resolve(key), ...(clientCa && { clientCa: resolve(clientCa) }) }
  }
  if ([certificate, key, clientCa].some((file) => file !== undefined)) {
    say('IMAGEGATE_TLS_CERTIFICATE', 'IMAGEGATE_TLS_CERTIFICATE and IMAGEGATE_TLS_KEY belong together.')
  }
  return undefined
}

/** An address, or one with the length of a network's prefix. */
function isNetwork(text: string): boolean {
  const [address = '', prefix] = text.split('/')
  const version = isIP(address)
  return (
    version !== 0 && (prefix === undefined || (Number(prefix) >= 1 && Number(prefix) <= (version === 4 ? 32 : 128)))
  )
}

function proxiesOf({ given, say }: Given, authenticated: boolean): readonly string[] {
  const proxies = given('IMAGEGATE_TRUSTED_PROXIES')?.split(' ') ?? []
  const bad = proxies.findIndex((proxy) => !isNetwork(proxy))
  if (bad >= 0) {
    say('IMAGEGATE_TRUSTED_PROXIES', `IMAGEGATE_TRUSTED_PROXIES: entry ${bad + 1} is no address and no network.`)
  }
  if (proxies.length > 0 && !authenticated) {
    say('IMAGEGATE_TRUSTED_PROXIES', 'IMAGEGATE_TRUSTED_PROXIES needs IMAGEGATE_AUTHENTICATION=required.')
  }
  return proxies
}

/** Reads who may call; what is wrong is said. */
export function accessConfig(from: Given): AccessConfig {
  const authenticated = from.word('IMAGEGATE_AUTHENTICATION') === 'required'
  if (!authenticated && !isLoopback(from.word('IMAGEGATE_HOST'))) {
    from.say(
      'IMAGEGATE_HOST',
      'IMAGEGATE_HOST is not a loopback address, and everyone who reached the port could read and write verdicts. Set ' +
        'IMAGEGATE_AUTHENTICATION=required, and make a key with imagegate keys create; or listen on 127.0.0.1.',
    )
  }
  const issuer = issuerOf(from)
  const tls = tlsOf(from)
  const apiKey = from.given('IMAGEGATE_API_KEY')
  return {
    authenticated,
    ...(issuer && { issuer }),
    ...(tls && { tls }),
    ...(apiKey !== undefined && { apiKey }),
    requestsPerMinute: from.number('IMAGEGATE_RATE_LIMIT'),
    failuresPerMinute: from.number('IMAGEGATE_RATE_LIMIT_FAILURES'),
    trustedProxies: proxiesOf(from, authenticated),
  }
}
