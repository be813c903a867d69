/** A user's own folder, outside of this tree, with the packed file in its node_modules. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { packed } from '../../packed.ts'
import { project } from '../vestal.ts'

export interface OwnFolder {
  readonly path: string
  /** The files of the packed file, by their paths in it. */
  readonly packed: readonly string[]
  /** The program as the package has it. */
  readonly vestal: readonly string[]
}

const run = (program: string, words: readonly string[], cwd: string): string => {
  const { status, stdout, stderr } = spawnSync(program, words, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (status !== 0) throw new Error(`${program} ${words.join(' ')} ended with ${status}: ${stdout}${stderr}`)
  return stdout
}

/** Packs this tree, and makes a folder as docs/own-role is. What the package depends on is that of this tree: nothing is fetched. */
export const ownFolder = (): OwnFolder => {
  const path = mkdtempSync(join(tmpdir(), 'vestal-own-'))
  const file = packed(path)
  const names = run('tar', ['-tzf', file], path)
    .trim()
    .split('\n')
    .map((name) => name.replace(/^package\//, ''))
  cpSync(join(project, 'docs/own-role'), path, { recursive: true })
  mkdirSync(join(path, 'node_modules'))
  for (const name of installedWithIt()) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    symlinkSync(join(project, name), join(path, name))
  }
  run('tar', ['-xzf', file, '-C', 'node_modules'], path)
  run('mv', ['node_modules/package', 'node_modules/vestal'], path)
  writeFileSync(
    join(path, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'es2024',
        module: 'nodenext',
        strict: true,
        noEmit: true,
        allowImportingTsExtensions: true,
        types: ['node'],
      },
      include: ['*.ts'],
    }),
  )
  return { path, packed: names, vestal: [process.execPath, join(path, 'node_modules/vestal/cli/vestal.js')] }
}

/** What npm would put beside it, and the types of Node, which a user who checks types has; nothing that is here for development alone. */
const installedWithIt = (): readonly string[] => {
  const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, { readonly dev?: boolean }>>
  }
  const ofNode = ['node_modules/@types/node', 'node_modules/undici-types']
  return Object.entries(packages)
    .filter(([name, { dev }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(name) && (!dev || ofNode.includes(name)))
    .map(([name]) => name)
    .filter((name) => existsSync(join(project, name)))
}

/** What the type checker has to say of the folder; empty where all is well. */
export const typeMistakes = ({ path }: OwnFolder): string =>
  spawnSync(join(project, 'node_modules/.bin/tsc'), ['-p', path], { encoding: 'utf8' }).stdout
