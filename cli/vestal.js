#!/usr/bin/env node
// Plain JavaScript of old, so that a Node that is too old for the rest says so instead of stumbling over its syntax.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const [major, minor] = process.versions.node.split('.').map(Number)

/** Compiled and type-stripped modules are kept between runs: that halves the start. Node 20 cannot. */
const keepCompiled = () =>
  import('node:module').then(({ enableCompileCache }) => {
    if (enableCompileCache)
      enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vestal', 'node'))
  })

/** What Node 22 and 24 have brought into the language. */
const fillIn = () =>
  Promise.all([
    ...(Map.groupBy ? [] : [import('core-js/actual/map/group-by.js')]),
    ...(Promise.withResolvers ? [] : [import('core-js/actual/promise/with-resolvers.js')]),
    ...(globalThis.AsyncDisposableStack ? [] : [import('core-js/actual/async-disposable-stack/index.js')]),
  ])

/** The package that this folder, or one above, has installed. */
const installedNear = (folder) => {
  const there = join(folder, 'node_modules', 'vestal', 'dist', 'cli', 'main.js')
  if (existsSync(there)) return pathToFileURL(there)
  return dirname(folder) === folder ? undefined : installedNear(dirname(folder))
}

/**
 * In a clone the sources run as they are; an installed package has them compiled. The one that is installed for all gives way to that of the
 * user's folder, so that roles and playbooks there work with the very modules that they import.
 */
const sources = new URL('./main.ts', import.meta.url)
const main = existsSync(fileURLToPath(sources))
  ? sources
  : installedNear(process.cwd()) || new URL('../dist/cli/main.js', import.meta.url)

if (major < 20 || (major === 20 && minor < 16)) {
  process.stderr.write(`vestal needs Node 20.16 or later; this is ${process.versions.node}.\n`)
  process.exitCode = 2
} else {
  keepCompiled()
    .then(fillIn)
    .then(() => import(main.href))
    .then((loaded) => loaded.main(process.argv.slice(2)))
    .then((code) => {
      process.exitCode = code
    })
}
