import fastify from 'fastify'
import t from 'tap'
import { type Role, roles } from '../../server/access/roles.ts'
import { guard } from '../../server/http/access.ts'
import { callerOf } from '../../server/http/caller.ts'

t.test('a route that declares no permission keeps the service from starting', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  guard(app, async () => ({ name: 'key:x', tenant: 'default', roles: ['admin'] }))
  app.get('/declared', { config: { permission: 'read' } }, async () => 'x')
  app.get('/forgotten', async () => 'x')
  await t.rejects(async () => app.ready(), /GET.* \/forgotten declares no permission/)
})

t.test('every role may do what the table says and nothing else', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  guard(app, async ({ headers }) => {
    const role = roles.find((name) => name === headers['x-role'])
    return { name: 'key:x', tenant: 'default', roles: role === undefined ? [] : [role] }
  })
  const permissions = ['evaluate', 'read', 'audit', 'operate', 'any', 'public'] as const
  for (const permission of permissions) {
    app.get(`/${permission}`, { config: { permission } }, async (request) =>
      permission === 'public' ? '' : callerOf(request).name,
    )
  }
  const expected: Readonly<Record<Role | 'none', string>> = {
    submitter: 'evaluate any public',
    reader: 'read any public',
    auditor: 'read audit any public',
    operator: 'operate any public',
    admin: 'evaluate read audit any public',
    none: 'public',
  }
  for (const [role, allowed] of Object.entries(expected)) {
    const found: string[] = []
    for (const permission of permissions) {
      const { statusCode } = await app.inject({ url: `/${permission}`, headers: { 'x-role': role } })
      if (statusCode === 200) found.push(permission)
    }
    t.equal(found.join(' '), allowed, role)
  }
})
