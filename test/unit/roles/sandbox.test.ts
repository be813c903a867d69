/** What the services of every role may not do, as their units say it. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { SANDBOX, sandbox } from '../../../lib/program/sandbox.ts'
import { fleet, hostsFile } from './fleet.ts'
import { renderedUnits } from './rendered-units.ts'

/** The settings that a unit has otherwise than all others, as `name=value`, or `-name` where it goes without. */
const otherwise = (unit: string): readonly string[] => {
  const lines = unit.split('\n')
  const usual = sandbox().filter((line) => !line.startsWith('NoExecPaths='))
  const names = new Set([...Object.keys(SANDBOX), 'DevicePolicy'])
  return [
    ...lines.filter((line) => names.has(line.split('=')[0] ?? '') && !usual.includes(line)),
    ...Object.keys(SANDBOX)
      .filter((name) => !lines.some((line) => line.startsWith(`${name}=`)))
      .map((name) => `-${name}`),
  ].sort()
}

/** All that is looser anywhere, and nothing else. */
const LOOSER: Readonly<Record<string, readonly string[]>> = {
  'node_exporter.service': [
    '-PrivateDevices',
    '-PrivateTmp',
    '-PrivateUsers',
    '-ProtectClock',
    '-ProtectProc',
    'DevicePolicy=closed',
    'ProtectHome=read-only',
    'SystemCallFilter=adjtimex clock_adjtime',
  ],
  'gateway-address.service': [
    '-PrivateUsers',
    'AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BROADCAST CAP_SETGID',
    'CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BROADCAST CAP_SETGID',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX AF_PACKET',
    'SystemCallFilter=~@chown @clock @module @raw-io @reboot @swap @resources',
  ],
}

describe('the unit of every role', () => {
  test('forbids all that no service needs, save what its own work does', async () => {
    const units = await renderedUnits()
    expect([...units.keys()].sort()).toEqual([
      'alertmanager.service',
      'cortex-alertmanager.service',
      'gateway-address.service',
      'gateway.service',
      'node_exporter.service',
      'prometheus.service',
      'thanos-query-relay.service',
      'thanos-query.service',
      'thanos-rule-query.service',
      'thanos-rule-shard-0.service',
      'thanos-rule-shard-1.service',
      'thanos-rule.service',
      'thanos-sidecar.service',
    ])
    expect(Object.fromEntries([...units].map(([name, text]) => [name, otherwise(text)]))).toEqual(
      Object.fromEntries([...units.keys()].map((name) => [name, LOOSER[name] ?? []])),
    )
  })

  test('runs as an account other than root', async () => {
    for (const [name, text] of await renderedUnits())
      expect({ name, user: /^User=(.*)$/m.exec(text)?.[1] }).toEqual({
        name,
        user: expect.stringMatching(/^(?!root)\w/),
      })
  })

  test('nothing is run or loaded from where a service may write', async () => {
    for (const [name, text] of await renderedUnits()) {
      const [, writes = ''] = /^ReadWritePaths=(.*)$/m.exec(text) ?? []
      const [, noExec = ''] = /^NoExecPaths=(.*)$/m.exec(text) ?? []
      const folders = noExec.split(' ')
      for (const folder of [...writes.split(' ').filter(Boolean), '-/tmp', '-/var/tmp', '-/dev/shm', '-/run'])
        expect({ name, folders }).toEqual({ name, folders: expect.arrayContaining([folder]) })
    }
  })
})

test('a gateway on a port below 1024 has the one privilege for that', async () => {
  using made = await fleet({
    'hosts.yml': hostsFile(
      {
        gateway: { gw: { ansible_host: '10.0.0.1' } },
        prometheus: { p: { ansible_host: '10.0.0.2' } },
      },
      { gateway: { prometheus: '0.0.0.0:80' }, prometheus: { version: '3.5.3' } },
    ),
  })
  expect(otherwise(made.unitText('gateway', 'gw'))).toEqual([
    '-PrivateUsers',
    'AmbientCapabilities=CAP_NET_BIND_SERVICE',
    'CapabilityBoundingSet=CAP_NET_BIND_SERVICE',
  ])
})

test('the page says from which systemd on each is known', () => {
  const page = readFileSync(new URL('../../../docs/hardening.md', import.meta.url), 'utf8')
  for (const name of [...Object.keys(SANDBOX), 'NoExecPaths'].filter((one) => one !== 'SystemCallErrorNumber'))
    expect(page).toContain(`\`${name}\``)
})

test('a folder with a space is quoted', () => {
  expect(sandbox({ writes: ['/srv/our data'] })).toContain('ReadWritePaths="/srv/our data"')
})
