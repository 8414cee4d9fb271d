import { noteSecret } from '../support/leaks.ts'
import { keepingLogger } from './support.ts'

// A process that logs its argument as the servers of tests log.
noteSecret('correct-horse')
keepingLogger([]).info(process.argv[2] ?? '')
