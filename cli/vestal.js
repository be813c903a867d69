#!/usr/bin/env node
// Plain JavaScript, because it runs before Node keeps compiled and type-stripped modules between runs: that halves the start.
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

enableCompileCache(join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vestal', 'node'))
const { main } = await import('./main.ts')
process.exitCode = await main(process.argv.slice(2))
