/** Several hosts on one machine: what may stand together, and each mistake with both places. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { rolesOf } from '../../../lib/playbook.ts'
import deploy from '../../../playbooks/deploy.ts'
import { inFolder } from './files.ts'

const roles = rolesOf(deploy)

interface Given {
  /** Variables of the host of shard 1 on the first machine, as YAML's flow style has them. */
  readonly second?: string
  /** Further groups. */
  readonly groups?: string
}
const hosts = ({ second = 'vestal: { instance: b }, prometheus: { listen: "0.0.0.0:9091" }', groups = '' }: Given) => `
all:
  vars:
    prometheus: { version: 3.5.3, sharding: hashmod }
    node_exporter: { version: 1.11.1 }
    thanos_sidecar: { version: 0.42.4 }
  children:
    prometheus:
      children:
        shard_0:
          hosts:
            p-1: { ansible_host: 192.0.2.11 }
            p-2: { ansible_host: 192.0.2.12 }
        shard_1:
          hosts:
            p-1b: { ansible_host: 192.0.2.11, ${second} }
    ${groups}
`
const outcome = async (given: Given): Promise<string> =>
  inFolder({ 'hosts.yml': hosts(given) }, async (folder) => {
    try {
      const { hosts } = await loadInventory([join(folder, 'hosts.yml')], roles, { env: {} })
      return hosts.map(({ name, machine }) => `${name} ${machine.instance ?? 'alone'}`).join(', ')
    } catch (error) {
      return String(error).replace('InputError: ', '').replaceAll(`${folder}/`, '').replaceAll(/\n\s+/g, '; ')
    }
  })

test('an instance stands beside a host of the same address that is none', async () => {
  expect(await outcome({})).toBe('p-1 alone, p-2 alone, p-1b b')
})

const CASES: Readonly<Record<string, Given & { readonly says: string }>> = {
  'two names without an instance': {
    second: 'prometheus: { listen: "0.0.0.0:9091" }',
    says: 'hosts.yml:16:13: p-1b is the same machine as p-1: 192.0.2.11, port 22; keep one of the two names, or correct the address; for another Prometheus on the machine, name it by vestal: { instance: … }',
  },
  'one instance twice': {
    groups:
      'other: { hosts: { p-1c: { ansible_host: 192.0.2.11, vestal: { instance: b } } } }\n    base: { hosts: { p-1c: } }',
    says: 'p-1c is instance b of the same machine as p-1b: 192.0.2.11, port 22',
  },
  'a port that both would have': {
    second: 'vestal: { instance: b }',
    says: 'hosts.yml:16:13: prometheus of p-1b and prometheus of p-1 (hosts.yml:12:13) are on one machine, and both would have tcp port 9090; give one of them another port',
  },
  'a folder inside the other’s': {
    second: 'vestal: { instance: b }, prometheus: { listen: "0.0.0.0:9091", storage_dir: /var/lib/prometheus/b }',
    says: 'hosts.yml:16:13: prometheus of p-1b and prometheus of p-1 (hosts.yml:12:13) are on one machine, and both would have the folder /var/lib/prometheus/b; give one of them another folder',
  },
  'the ports of two sidecars': {
    groups: 'thanos_sidecar: { children: { prometheus: } }',
    says: 'thanos-sidecar of p-1b and thanos-sidecar of p-1 (hosts.yml:12:13) are on one machine, and both would have tcp port 10902',
  },
  'replicas of one shard': {
    second: 'vestal: { instance: b }, prometheus: { listen: "0.0.0.0:9091", shard: 0 }',
    says: 'prometheus.shard: p-1b and p-1 are replicas of shard 0 on one machine: lost with it, both would be lost; give replicas machines of their own, or make one of them another shard: prometheus: { shard: NUMBER }, or a group shard_NUMBER',
  },
  'a role of which there is one on a machine': {
    groups: 'node_exporter: { children: { prometheus: } }',
    says: 'hosts.yml:16:13: p-1b is instance b of its machine, and has node_exporter, of which there is one on a machine; give node_exporter to a host of the machine without vestal.instance, which may have nothing else, and take this one out of the group `node_exporter`',
  },
  'a name whose unit is another role’s': {
    second: 'vestal: { instance: agent }, prometheus: { listen: "0.0.0.0:9091" }',
    says: 'hosts.yml:16:13: p-1b is instance agent of its machine: its unit would be prometheus-agent.service, which is that of prometheus-agent; choose another name in vestal.instance',
  },
  'a name that is none': {
    second: 'vestal: { instance: B/1 }',
    says: 'vestal.instance: expected the name of an instance: small letters, digits and - within',
  },
  'a machine that has no address': {
    second: 'vestal: { instance: b }, prometheus: { listen: "0.0.0.0:9091" }, ansible_connection: local',
    says: 'p-1b is instance b of its machine, which is told by its address, and this one has none: ansible_connection is local',
  },
}
describe('is a mistake', () => {
  test.for(Object.entries(CASES))('%s', async ([, { says, ...given }]) => {
    expect(await outcome(given)).toContain(says)
  })
})
