/** Release mirrors with an Alertmanager that is broken: the lab's real one, changed in a few bytes, under a version of its own. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'

/** A version that only these mirrors have. */
export const BROKEN = '0.28.9'
const REAL = '0.28.1'

/** Crashes at its start: a program that knows the flags and does nothing but fail. */
export const crashing = (): Buffer =>
  Buffer.from(`#!/bin/sh
case "$*" in
  *--help*) printf -- '--%s \\n' ${FLAGS.join(' ')} ;;
  *) echo 'out of cheese' >&2; exit 3 ;;
esac
`)

const CLUSTER = [
  'listen-address',
  'advertise-address',
  'peer',
  'peer-timeout',
  'gossip-interval',
  'pushpull-interval',
  'settle-timeout',
]
const WEB = ['web.listen-address', 'web.external-url', 'web.config.file']
const FLAGS = [
  ...WEB,
  ...CLUSTER.map((name) => `cluster.${name}`),
  'config.file',
  'storage.path',
  'data.retention',
  'log.level',
]

/**
 * Starts, answers, and never joins gossip: memberlist (state exchange over TCP) calls the number of members it sends `Nodes`, after the name of a
 * Go field; under another name no peer reads any.
 */
export const loner = (real: Buffer): Buffer => patched(real, '\x01\x05Nodes', '\x01\x05Nodez')

/** Refuses at its start a config that its amtool accepts. */
export const picky = (real: Buffer): Buffer => patched(real, 'yaml:"repeat_interval', 'yaml:"repeat_intervax')

/** A mirror that has this Alertmanager as version BROKEN, beside all real releases. Returns what `vestal.releases` takes. */
export const mirrorWith = (broken: (real: Buffer) => Buffer): string => {
  const mirror = mkdtempSync(join(tmpdir(), 'vestal-mirror-'))
  process.once('exit', () => rmSync(mirror, { recursive: true, force: true }))
  const real = join(inject('lab').mirror, 'prometheus')
  const releases = join(mirror, 'prometheus/alertmanager/releases/download')
  mkdirSync(join(releases, `v${BROKEN}`), { recursive: true })
  for (const name of ['prometheus', 'node_exporter']) symlinkSync(join(real, name), join(mirror, 'prometheus', name))
  const theirs = join(real, 'alertmanager/releases/download')
  for (const version of readdirSync(theirs)) symlinkSync(join(theirs, version), join(releases, version))
  const work = mkdtempSync(join(mirror, 'work-'))
  execFileSync('tar', ['-xzf', join(theirs, `v${REAL}`, `alertmanager-${REAL}.linux-amd64.tar.gz`), '-C', work])
  const folder = `alertmanager-${BROKEN}.linux-amd64`
  execFileSync('mv', [join(work, `alertmanager-${REAL}.linux-amd64`), join(work, folder)])
  const binary = join(work, folder, 'alertmanager')
  writeFileSync(binary, broken(readFileSync(binary)))
  const tarball = join(releases, `v${BROKEN}`, `${folder}.tar.gz`)
  execFileSync('tar', ['-czf', tarball, '-C', work, folder])
  rmSync(work, { recursive: true })
  const sum = createHash('sha256').update(readFileSync(tarball)).digest('hex')
  writeFileSync(join(releases, `v${BROKEN}`, 'sha256sums.txt'), `${sum}  ${folder}.tar.gz\n`)
  return `file:${mirror}`
}

const patched = (binary: Buffer, from: string, to: string): Buffer => {
  const [was, is] = [Buffer.from(from, 'latin1'), Buffer.from(to, 'latin1')]
  const copy = Buffer.from(binary)
  let found = 0
  for (let at = copy.indexOf(was); at >= 0; at = copy.indexOf(was, at + 1), found += 1) is.copy(copy, at)
  if (found === 0 || was.length !== is.length)
    throw new Error(`this Alertmanager has no ${JSON.stringify(from)} to change`)
  return copy
}
