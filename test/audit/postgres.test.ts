import { test } from 'tap'
import { openPostgresStore } from '../../server/audit/postgres.ts'
import { noPostgres, startPostgres } from '../support/postgres.ts'
import { storeContract } from './contract.ts'

test('PostgreSQL does what every driver does', { skip: noPostgres }, async (t) => {
  const databases = await startPostgres(t)
  await storeContract(t, async () => openPostgresStore({ url: await databases.create() }))
})
