#!/usr/bin/env node
import { compiledProgram } from './compiled.ts'

const [command] = process.argv.slice(2)
const images = command === 'check' || command === 'collect' ? compiledProgram('images') : undefined
const { main } = images ?? (await import('./command-line.ts'))
process.exitCode = await main()
