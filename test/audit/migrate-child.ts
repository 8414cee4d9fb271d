import { openForWriting } from '../../server/audit/sqlite-connection.ts'
import { migrateSqlite } from '../../server/audit/sqlite-migrate.ts'

// Migrates the database of the first argument with the migrations at the second; says so before it starts.
const [, , file = '', directory = ''] = process.argv
const db = openForWriting(file)
process.stdout.write('started\n')
migrateSqlite(db, new URL(directory))
db.close()
