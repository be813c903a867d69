/** Release mirrors with something wrong in them: the lab's real one, and one version of node_exporter beside it. */
import { createHash } from 'node:crypto'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Header } from 'tar'
import { inject } from 'vitest'
import { scratch } from './fleet.ts'

/** A version that only doctored mirrors have. */
export const VERSION = '9.9.9'
const NAME = `node_exporter-${VERSION}.linux-`

export interface Entry {
  readonly path: string
  readonly type?: 'File' | 'SymbolicLink' | 'Link' | 'CharacterDevice'
  readonly linkpath?: string
  readonly text?: string
}

interface Told {
  /** The checksum that sha256sums.txt has of it; the true one if not given, none for null. */
  readonly sum?: string | null
  readonly arch?: string
}

/** A mirror that has this tarball as node_exporter's VERSION. */
export const mirrorWith = (tarball: Buffer, { sum = sha256(tarball), arch = 'amd64' }: Told = {}): string => {
  const mirror = scratch('mirror')
  const releases = join(mirror, 'prometheus/node_exporter/releases/download')
  mkdirSync(join(releases, `v${VERSION}`), { recursive: true })
  const real = join(inject('lab').mirror, 'prometheus')
  for (const name of ['prometheus', 'alertmanager']) symlinkSync(join(real, name), join(mirror, 'prometheus', name))
  symlinkSync(join(real, 'node_exporter/releases/download/v1.5.0'), join(releases, 'v1.5.0'))
  const file = `${NAME}${arch}.tar.gz`
  writeFileSync(join(releases, `v${VERSION}`, file), tarball)
  writeFileSync(join(releases, `v${VERSION}`, 'sha256sums.txt'), sum === null ? '' : `${sum}  ${file}\n`)
  return `file:${mirror}`
}

/** A release of node_exporter whose binary is a shell script, and more entries. */
export const tarballOf = (script: string, more: readonly Entry[] = []): Buffer => {
  const entries = [{ path: `${NAME}amd64/node_exporter`, text: script }, ...more]
  return gzipSync(Buffer.concat([...entries.map(blocks), Buffer.alloc(1024)]))
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** A program that knows node_exporter's flags and does nothing but fail. */
export const CRASHING = `#!/bin/sh
case "$*" in
  *--help*) echo '--web.listen-address --log.level --collector.textfile.directory' ;;
  *) echo 'out of cheese'; exit 3 ;;
esac
`

const blocks = ({ path, type = 'File', linkpath, text = '' }: Entry): Buffer => {
  const content = Buffer.from(text)
  const header = Buffer.alloc(512)
  new Header({ path, type, linkpath, size: content.length, mode: 0o755, uid: 0, gid: 0, mtime: new Date(0) }).encode(
    header,
  )
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}
