#!/usr/bin/env node
import './compile-cache.ts'

const words = process.argv.slice(2)
const [{ toExitCode }, { program }] = await Promise.all([import('./failure.ts'), import('./program.ts')])
process.exitCode = await toExitCode(async () => {
  let code = 0
  await program(words, (result) => {
    code = result
  }).parseAsync()
  return code
}, words.includes('--json'))
