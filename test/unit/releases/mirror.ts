import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Header } from 'tar'
import type { Build } from '../../../lib/releases/source.ts'

/** An entry of a tarball made for a test; without content it is what `type` says. */
export interface Entry {
  readonly path: string
  readonly content?: string
  readonly type?: 'File' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'Directory'
  readonly linkpath?: string
}
/** A release mirror in upstream's layout, an inventory folder and a cache, all in a temporary folder. */
export interface Mirror extends Disposable {
  readonly root: string
  readonly releases: string
  readonly inventory: string
  readonly cache: string
  /** Puts a tarball there, and its checksum beside it; returns the checksum. */
  publish(build: Build, entries?: readonly Entry[]): string
  tarball(build: Build): string
}

export const prometheus: Build = {
  owner: 'prometheus',
  repo: 'prometheus',
  name: 'prometheus',
  version: '3.5.3',
  arch: 'amd64',
  binaries: ['prometheus', 'promtool'],
}

export const mirror = (): Mirror => {
  const root = mkdtempSync(join(tmpdir(), 'vestal-releases-'))
  const cacheHome = process.env.XDG_CACHE_HOME
  process.env.XDG_CACHE_HOME = join(root, 'cache')
  mkdirSync(join(root, 'inventory'))
  const tarball: Mirror['tarball'] = ({ owner, repo, name, version, arch }) =>
    join(root, 'mirror', owner, repo, 'releases/download', `v${version}`, `${name}-${version}.linux-${arch}.tar.gz`)
  return {
    root,
    releases: `file:${root}/mirror`,
    inventory: join(root, 'inventory'),
    cache: join(root, 'cache/vestal/releases'),
    tarball,
    publish(build, entries = usual(build)) {
      const path = tarball(build)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, gzipSync(tarOf(entries)))
      const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex')
      writeFileSync(join(dirname(path), 'sha256sums.txt'), `${sha256}  ${path.split('/').at(-1)}\n`)
      return sha256
    },
    [Symbol.dispose]() {
      if (cacheHome === undefined) delete process.env.XDG_CACHE_HOME
      else process.env.XDG_CACHE_HOME = cacheHome
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** What upstream puts into a tarball. */
export const usual = ({ name, version, arch, binaries }: Build): readonly Entry[] =>
  ['LICENSE', ...binaries].map((file) => ({
    path: `${name}-${version}.linux-${arch}/${file}`,
    content: `#!/bin/sh\necho ${file} ${version}\n`,
  }))

/** A tar archive, also of entries that no tar program would write. */
export const tarOf = (entries: readonly Entry[]): Buffer => {
  const blocks = entries.flatMap(({ path, content = '', type = 'File', linkpath }) => {
    const header = Buffer.alloc(512)
    const size = Buffer.byteLength(content)
    new Header({ path, mode: 0o755, size, type, linkpath, uid: 1000, gid: 1000, mtime: new Date(0) }).encode(header, 0)
    return [header, Buffer.concat([Buffer.from(content), Buffer.alloc((512 - (size % 512)) % 512)])]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}
