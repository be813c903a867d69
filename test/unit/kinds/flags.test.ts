import { chmodSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { knowsFlags } from '../../../lib/kinds/flags.ts'
import { sandbox } from './sandbox.ts'

const HELP = `usage: node_exporter [<flags>]

Flags:
  -h, --help                   Show context-sensitive help.
      --collector.arp          Enable the arp collector.
      --[no-]web.enable-lifecycle  Enable shutdown.
      --web.listen-address=:9100 ...
      --log.level=info
  -timeout duration
      --last
`

const unknown = (flags: readonly string[]): string => {
  using box = sandbox()
  writeFileSync(box.at('/srv/help'), HELP)
  writeFileSync(box.at('/srv/exporter'), '#!/bin/sh\ncat /srv/help >&2; exit 2\n')
  chmodSync(box.at('/srv/exporter'), 0o755)
  return box.sh(`set -eu\n${knowsFlags('/srv/exporter', flags)}`).output
}

test('flags that the help shows are known, in whatever way it shows them', () => {
  const known = [
    '--collector.arp',
    '--no-collector.arp',
    '--web.enable-lifecycle',
    '--no-web.enable-lifecycle',
    '-timeout=5s',
    '-h',
  ]
  expect(unknown([...known, '--web.listen-address=0.0.0.0:9100', '--log.level=$x', '--last'])).toBe('')
})

test('flags that it does not show are named, also the beginning or end of a known one', () => {
  expect(unknown(['--web', '--listen-address', '--log.level', '--log.level.more', '--it`s=1'])).toBe(
    '/srv/exporter does not know --web --listen-address --log.level.more --it`s',
  )
})

test('of a program that is several, the help of its subcommand counts', () => {
  using box = sandbox()
  writeFileSync(
    box.at('/srv/many'),
    '#!/bin/sh\ncase $1 in query) echo "  --query.timeout=2m" ;; *) echo "  --log.level=info" ;; esac\n',
  )
  chmodSync(box.at('/srv/many'), 0o755)
  const said = (subcommand?: string) =>
    box.sh(`set -eu\n${knowsFlags('/srv/many', ['--query.timeout=1m'], subcommand)}`).output
  expect([said('query'), said()]).toEqual(['', '/srv/many does not know --query.timeout'])
})
