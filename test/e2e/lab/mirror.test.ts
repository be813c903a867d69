import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { attempt } from '../../../lib/lab/command.ts'
import { architecture } from '../../../lib/lab/debian.ts'
import { mirrorReleases } from '../../../lib/lab/mirror.ts'
import { labKey, labKnownHosts } from '../../../lib/lab/places.ts'

const { hosts } = inject('lab')
const binaries: Readonly<Record<string, readonly string[]>> = {
  prometheus: ['prometheus', 'promtool'],
  alertmanager: ['alertmanager', 'amtool'],
  node_exporter: ['node_exporter'],
}
const { go } = await architecture()
/**
 * Those that every lab needs; longer suites bring exporters of other projects, each with checksums as its project has them, and releases for another
 * processor.
 */
const releases = mirrorReleases().filter(({ name, arch }) => Object.hasOwn(binaries, name) && arch === go)

/** Unpacks the tarball on a host and returns what a command in its folder prints there. */
const tryOnHost = (file: string, command: string) => {
  const ssh = `ssh -F none -i ${labKey()} -oUserKnownHostsFile=${labKnownHosts()} root@${hosts[0]?.address}`
  const there = `d=$(mktemp -d) && trap "rm -r $d" EXIT && tar -xz -C $d && cd $d/* && ${command}`
  return attempt(['sh', '-c', `${ssh} '${there}' <"$1"`, 'sh', file])
}

describe('the release mirror', () => {
  it.each(Object.keys(binaries))('has three generations of %s at least', (name) => {
    expect(releases.filter((release) => release.name === name).length).toBeGreaterThanOrEqual(3)
  })

  it.each(releases)('has $name $version with the sum that its sha256sums.txt says', ({ file }) => {
    const sum = createHash('sha256').update(readFileSync(file)).digest('hex')
    const sums = readFileSync(join(dirname(file), 'sha256sums.txt'), 'utf8').split('\n')
    expect(sums.filter((line) => line.endsWith(` ${basename(file)}`))).toEqual([`${sum}  ${basename(file)}`])
  })

  it.each(releases)('has a $name $version that runs on a lab host', async ({ file, name, version }) => {
    const all = binaries[name] ?? []
    const { stdout } = await tryOnHost(file, all.map((binary) => `./${binary} --version 2>&1 | head -n1`).join('; '))
    for (const binary of all)
      expect(stdout).toMatch(new RegExp(`^${binary}, version ${version.replaceAll('.', '\\.')}\\b`, 'm'))
  })

  it.each(releases.filter(({ name }) => name === 'alertmanager'))(
    'has an Alertmanager $version that finds its templates on the host and starts',
    async ({ file }) => {
      const config = 'echo "{receivers: [{name: nobody}], route: {receiver: nobody}}" >c.yml'
      const quiet = '--cluster.listen-address= --web.listen-address=127.0.0.1:19093'
      const serve = `./alertmanager --config.file=c.yml --storage.path=data ${quiet}`
      const { stdout } = await tryOnHost(file, `${config}; timeout 1 ${serve} 2>&1`)
      expect(stdout).toContain('127.0.0.1:19093')
      expect(stdout).not.toMatch(/level=error/i)
    },
  )
})
