import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { currentOf } from '../../../lib/host-paths.ts'
import { execLine } from '../../../lib/kinds/exec-line.ts'
import { release, releaseBinary, releaseKind } from '../../../lib/kinds/release.ts'
import { service } from '../../../lib/kinds/service.ts'
import { symlink } from '../../../lib/kinds/symlink.ts'
import { unit } from '../../../lib/kinds/unit.ts'
import type { Host, Inventory, Task } from '../../../lib/model.ts'
import { type Machine, stepsOf } from '../../unit/kinds/machine.ts'
import { labMachine, sendUploads } from './lab-machine.ts'

const NAME = 'vestal-kinds-exporter'
const LINK = '/usr/local/bin/vestal-kinds-exporter'
const folder = mkdtempSync(join(tmpdir(), 'vestal-kinds-release-'))
let host: Machine

/** A node_exporter behind a link to its current version, as a role would have it. */
const tasks = async (version: string): Promise<readonly Task[]> => {
  const machine = { arch: 'amd64', releases: `file:${inject('lab').mirror}`, keepReleases: 3 } as const
  const link = { via: 'ssh', address: '', options: {}, connectTimeout: '1s' } as const
  const on: Host = { name: 'lab-1', address: 'lab-1', groups: [], vars: {}, link, machine }
  const what = {
    owner: 'prometheus',
    repo: 'node_exporter',
    name: 'node_exporter',
    version,
    binaries: ['node_exporter'],
  }
  const inventory: Inventory = { name: 'test', folder, hosts: [on], roles: [] }
  const prepared = (await releaseKind.prepare?.([release(what, on)], { inventory, host: on })) ?? []
  const command = [LINK, '--web.listen-address=127.0.0.1:19100']
  const text = `[Service]\nExecStart=${execLine(command)}\nRestart=always\n[Install]\nWantedBy=multi-user.target\n`
  const executable = releaseBinary('node_exporter', version, 'node_exporter')
  const own = unit(`${NAME}.service`, text, { flagsOf: { binary: executable, flags: command.slice(1) } })
  return [
    ...prepared,
    symlink(currentOf('node_exporter'), version),
    symlink(LINK, `${currentOf('node_exporter')}/node_exporter`),
    own,
    service(NAME, { command, executable, unit: own, reloads: false }),
  ]
}
const deploy = async (version: string): Promise<readonly string[]> => {
  const wanted = await tasks(version)
  const steps = stepsOf(host.changes(wanted))
  await sendUploads(inject('lab'), steps)
  expect(host.take(steps)).toEqual({ code: 0, output: '' })
  expect(host.changes(wanted)).toEqual([])
  return steps.map(({ title }) => title)
}
const clean = (): void => {
  host.sh(`systemctl disable --now ${NAME}; rm -rf ${LINK} /opt/vestal/node_exporter /etc/systemd/system/${NAME}.service
rm -rf /run/vestal/services/${NAME}*; systemctl daemon-reload`)
}

beforeAll(() => {
  host = labMachine(inject('lab'))
  clean()
})
afterAll(() => {
  clean()
  rmSync(folder, { recursive: true })
})

test('a release is installed and its service runs it; a newer one is another process, and back again', async () => {
  await deploy('1.9.0')
  expect(await deploy('1.11.1')).toEqual([
    'install node_exporter 1.11.1',
    'point /opt/vestal/node_exporter/current to 1.11.1',
    `restart ${NAME}.service`,
  ])
  expect(await deploy('1.9.0')).toEqual(['point /opt/vestal/node_exporter/current to 1.9.0', `restart ${NAME}.service`])
})

const BINARY = releaseBinary('node_exporter', '1.9.0', 'node_exporter')
const EDIT = `cp -p ${BINARY} ${BINARY}.x; echo >>${BINARY}.x; mv ${BINARY}.x ${BINARY}`

test.each([
  ['replaced while it runs', EDIT, ['mend node_exporter 1.9.0', `restart ${NAME}.service`]],
  [
    'replaced and started so',
    `${EDIT}; systemctl restart ${NAME}`,
    ['mend node_exporter 1.9.0', `restart ${NAME}.service`],
  ],
  ['touched', `touch ${BINARY}`, []],
  ['made unreadable', `chmod 0711 ${BINARY}`, ['mend node_exporter 1.9.0']],
] as const)('a binary that was %s by hand is mended in one run', async (_, byHand, titles) => {
  await deploy('1.9.0')
  host.sh(byHand)
  expect(await deploy('1.9.0')).toEqual(titles)
})
