/** What no log may hold, whoever made it: API keys, signed tokens, passwords in URLs, private keys. */
const patterns = [
  /imagegate_[a-z2-7]{16}_[a-z2-7]{16}/,
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/,
  /\b[a-z]+:\/\/[^\s:@/"]*:[^\s@/"]+@/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
]
const secrets = new Set<string>()
const leaks: string[] = []

/** Remembers a secret that has no form of its own, such as a password, before anything can log it. */
export function noteSecret(secret: string): string {
  secrets.add(secret)
  return secret
}

/** Looks for secrets in what a server, or a command on standard error, has written. What it finds fails the whole file at its end. */
export function hear(text: string): void {
  const found = patterns.some((pattern) => pattern.test(text)) || [...secrets].some((secret) => text.includes(secret))
  if (found) leaks.push(text)
}

process.on('exit', () => {
  if (leaks.length === 0) return
  process.exitCode = 97
  console.error(`A secret was logged, ${leaks.length} times:\n${leaks.slice(0, 5).join('\n')}`)
})
