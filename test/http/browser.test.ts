import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { stage } from './support.ts'

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const skip = chromium === undefined ? 'chromium is not installed' : false

t.test('the API description renders in a real browser that reaches nothing else', { skip }, async (t) => {
  const directory = t.testdir()
  const { app, close } = await stage(directory)
  t.teardown(close)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    // Every name but this address fails to resolve, so that whatever the page loads comes from the service.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    `--user-data-dir=${join(directory, 'profile')}`,
    '--enable-logging=stderr',
    '--virtual-time-budget=15000',
    '--dump-dom',
    `${url}/docs`,
  ]
  const { stdout, stderr } = await promisify(execFile)(chromium ?? '', flags, { maxBuffer: 2 ** 26, timeout: 120_000 })
  t.match(stdout, /Evaluate one fact document/i, 'an operation is shown')
  t.match(stdout, /\/v1\/evaluations/, 'with its address')
  t.notMatch(stderr, /Content Security Policy|Uncaught|Failed to load resource/, 'nothing was blocked or broken')
})
