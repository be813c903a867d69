#!/usr/bin/env node
import { toExitCode } from './failure.ts'
import { program } from './program.ts'

const words = process.argv.slice(2)
process.exitCode = await toExitCode(async () => {
  let code = 0
  await program(words, (result) => {
    code = result
  }).parseAsync()
  return code
}, words.includes('--json'))
