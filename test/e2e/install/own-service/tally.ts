import { port, version } from 'vestal/fields'
import { httpGate } from 'vestal/gates/http'
import { directory } from 'vestal/kinds/directory'
import { execLine } from 'vestal/kinds/exec-line'
import { packages } from 'vestal/kinds/packages'
import { releaseBinary } from 'vestal/kinds/release'
import { service } from 'vestal/kinds/service'
import { unit } from 'vestal/kinds/unit'
import { systemUser } from 'vestal/kinds/user'
import { staged, switched } from 'vestal/program/release'
import { role } from 'vestal/role'
import { z } from 'zod'

const release = { owner: 'acme', repo: 'tally', name: 'tally', binaries: ['tallyd'] }
const FOLDER = '/var/lib/tally'

/** A small service of our own, with all that a role can have of a single program. */
export const tally = role({
  name: 'tally',
  summary: 'Counts what it is sent.',
  group: 'tally',
  service: 'tallyd',
  release,
  vars: z.strictObject({
    version: version.describe('The version that runs.'),
    port: port.default(7070).describe('Where it listens.'),
  }),
  data: { folder: () => FOLDER, archived: /^total$/ },
  scrape: ({ vars }) => ({ job: 'tally', port: vars.port }),
  needs: ({ vars }) => ({ ports: [{ port: vars.port, protocol: 'tcp', unit: 'tallyd.service' }], folders: [FOLDER] }),
  rollout: {
    titles: {
      all: 'Tallies',
      first: 'A tally before all others',
      joins: 'A new tally',
      learns: 'Tallies that are there',
      forgets: 'Tallies that stay',
    },
    batch: 1,
  },
  tasks: ({ host, vars }) => [
    packages(['python3']),
    systemUser('tally'),
    directory(FOLDER, { owner: 'tally' }),
    staged(release, vars.version, host),
    ...switched(release, vars.version),
    ...running(vars),
  ],
  healthy: ({ host, vars }) => [answers(host, vars)],
  serves: ({ host, vars }) => [answers(host, vars)],
})

/** It is a script: its process is the interpreter's, so the version stands in its command. */
const running = (vars: { readonly version: string; readonly port: number }) => {
  const program = releaseBinary(release.name, vars.version, 'tallyd')
  const command = ['/usr/bin/python3', program, String(vars.port), FOLDER]
  const file = unit(
    'tallyd.service',
    `[Unit]\nDescription=Tally\n\n[Service]\nType=exec\nUser=tally\nExecStart=${execLine(command)}\nRestart=always\n\n[Install]\nWantedBy=multi-user.target\n`,
  )
  return [file, service('tallyd', { command, unit: file, reloads: false })]
}

const answers = (host: Parameters<typeof httpGate>[1]['host'], vars: { readonly port: number }) => ({
  ...httpGate('tally answers', { host, port: vars.port }, { path: '/metrics' }),
  within: '10s' as const,
})
