import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { removable } from '../../../fleet/decommission.ts'
import { statefulServicesOf } from '../../../fleet/stateful-services.ts'
import { releasedRoles } from '../../../fleet/upgrade/settings.ts'
import { stagedReleases } from '../../../fleet/upgrade/stage-releases.ts'
import { describeMistake, InputError } from '../../../lib/errors.ts'
import { needsOf } from '../../../lib/health/requirements.ts'
import { jsonSchema } from '../../../lib/inventory/inventory-schema.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import type { FileData } from '../../../lib/kinds/file.ts'
import { type Inventory, taskId } from '../../../lib/model.ts'
import { rolesGiven, scopeOf } from '../../../lib/playbook.ts'
import { addNode } from '../../../playbooks/add-node.ts'
import { deployOf } from '../../../playbooks/deploy.ts'
import { rollingUpgrade } from '../../../playbooks/rolling-upgrade.ts'
import { prometheus } from '../../../roles/prometheus/role.ts'
import { rolesFor, shippedRoles } from '../../../roles/registry.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-own-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const put = (name: string, text: string): string => {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}
const repo = join(import.meta.dirname, '../../..')

/** A role with everything that a role can have, in a file of its own as a user writes it. */
const QUEUE = `
import { z } from '${repo}/node_modules/zod/index.js'
import { version, port } from '${repo}/lib/inventory/schema/fields.ts'
import { staged, switched } from '${repo}/lib/program/release.ts'
import { service } from '${repo}/lib/kinds/service.ts'
import { unit } from '${repo}/lib/kinds/unit.ts'
import { role } from '${repo}/lib/role.ts'

const release = { owner: 'acme', repo: 'queue', name: 'acme-queue', binaries: ['queued'] }
export const queue = role({
  name: 'queue',
  summary: 'A queue of our own.',
  group: 'queues',
  vars: z.strictObject({ version, port: port.default(7000) }),
  service: 'queued',
  release,
  data: { folder: () => '/srv/queue' },
  scrape: ({ vars }) => ({ job: 'queue', port: vars.port }),
  needs: ({ vars }) => ({ ports: [{ port: vars.port, protocol: 'tcp', unit: 'queued.service' }] }),
  tasks: ({ host, vars }) => {
    const file = unit('queued.service', '[Service]\\nExecStart=/usr/local/bin/queued\\n')
    return [
      staged(release, vars.version, host),
      ...switched(release, vars.version),
      file,
      service('queued', { command: ['/usr/local/bin/queued'], unit: file, reloads: false }),
    ]
  },
})
`
const CONFIG = `import { queue } from './queue.ts'\nexport default { roles: [queue] }\n`

const ownInventory = async (): Promise<Inventory> => {
  put('queue.ts', QUEUE)
  put('vestal.config.ts', CONFIG)
  put(
    'inventory/hosts.yml',
    `all:
  children:
    prometheus: { hosts: { prom-1: {} }, vars: { prometheus: { version: 3.5.3 } } }
    queues: { hosts: { q-1: {} }, vars: { queue: { version: 1.2.0 } } }
`,
  )
  const paths = [join(folder, 'inventory')]
  return loadInventory(paths, await rolesFor(paths, '/'))
}

describe('a role of a user’s own', () => {
  test.each([
    ['beside the inventory', 'inventory/vestal.config.ts', '/'],
    ['above it', 'vestal.config.ts', '/'],
    ['in the working folder', 'here/vestal.config.ts', 'here'],
  ])('is found by the configuration %s', async (_, place, here) => {
    put(join(dirname(place), 'queue.ts'), QUEUE)
    put(place, CONFIG)
    put('inventory/hosts.yml', '')
    const roles = await rolesFor([join(folder, 'inventory/hosts.yml')], here === '/' ? here : join(folder, here))
    expect(roles.map(({ name }) => name)).toEqual([...shippedRoles.map(({ name }) => name), 'queue'])
  })

  test('without one there are those of the house', async () => {
    expect(await rolesFor([join(folder, 'nowhere')], folder)).toBe(shippedRoles)
  })

  test('has its settings in the schema and its mistakes with their line', async () => {
    await ownInventory()
    const roles = await rolesFor([join(folder, 'inventory')], '/')
    expect(JSON.stringify(jsonSchema(roles))).toContain('"queue"')
    const path = put(
      'inventory/hosts.yml',
      'all: { hosts: { q-1: {} }, children: { queues: { hosts: { q-1: { queue: { prot: 1 } } } } } }',
    )
    const error = await loadInventory([path], roles).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InputError)
    expect((error as InputError).mistakes.map(describeMistake).join('\n')).toMatch(/hosts\.yml:1:\d+: queue/)
  })

  test('is deployed, rolled, backed up, removed, scraped and looked at as those of the house are', async () => {
    const inventory = await ownInventory()
    const { roles, hosts } = inventory
    const on = hosts.find(({ name }) => name === 'q-1')
    if (!on) throw new Error('no q-1')
    const names = (given: readonly { readonly name: string }[]) => given.map(({ name }) => name)
    expect(names(rolesGiven(deployOf(roles), on))).toEqual(['base', 'exporters', 'queue'])
    expect(names(rolesGiven(addNode(roles, ['q-1']), on))).toContain('queue')
    expect(names(rolesGiven(rollingUpgrade(roles), on))).toContain('queue')
    expect(
      stagedReleases(roles)
        .tasks(scopeOf(stagedReleases(roles), on, inventory))
        .map(taskId),
    ).toEqual(['release acme-queue 1.2.0'])
    expect(names(releasedRoles(roles))).toContain('queue')
    expect(names(removable(roles))).toContain('queue')
    expect(
      statefulServicesOf(inventory, [on]).map(({ role, version, folder: at }) => [role.name, version, at]),
    ).toEqual([['queue', '1.2.0', '/srv/queue']])
    expect(needsOf(inventory, on).ports).toEqual([{ port: 7000, protocol: 'tcp', unit: 'queued.service' }])
    const queue = roles.find(({ name }) => name === 'queue')
    expect(queue?.instance?.(scopeOf(queue, on, inventory))).toEqual({
      service: 'service queued',
      current: 'symlink /opt/vestal/acme-queue/current',
    })
    const watching = hosts.find(({ name }) => name === 'prom-1')
    if (!watching) throw new Error('no prom-1')
    const targets = prometheus
      .tasks(scopeOf(prometheus, watching, inventory))
      .find((task) => taskId(task) === 'file /etc/prometheus/file_sd/queue.yml')
    const { content } = (targets?.data ?? {}) as Partial<FileData>
    expect(String(content)).toContain('q-1:7000')
  })
})

describe('a configuration that cannot be used', () => {
  test.each([
    ['throws', '\nthrow new Error("no queue")', /vestal\.config\.mjs:2:\d+: cannot be loaded: no queue/],
    ['imports what is not there', "import './nowhere.mjs'", /cannot be loaded: Cannot find module/],
    ['has no default export', 'export const roles = []', /has no default export/],
    ['has other settings', 'export default { role: [] }', /role: no setting is called that/],
    ['has a role that is none', 'export default { roles: [{ name: "x" }] }', /roles\.0: is no role/],
    [
      'takes a name that is taken',
      `import { prometheus } from '${repo}/roles/prometheus/role.ts'\nexport default { roles: [{ ...prometheus }] }`,
      /another role is called prometheus/,
    ],
  ])('%s: it is said where', async (_, text, said) => {
    put('vestal.config.mjs', text)
    const error = await rolesFor([], folder).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InputError)
    expect((error as InputError).mistakes.map(describeMistake).join('\n')).toMatch(said)
  })
})

test('a configuration that does not parse ends a command with 2, and its line', () => {
  put('vestal.config.ts', 'export default {\n  roles: [,\n')
  const { status, stderr } = spawnSync(process.execPath, [join(repo, 'cli/vestal.js'), 'schema'], {
    cwd: folder,
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([2, expect.stringMatching(/vestal\.config\.ts:2: cannot be loaded: /)])
})

test('a role of a user’s own with a release has a flag of rolling-upgrade, whichever way the inventory is named', async () => {
  await ownInventory()
  for (const words of [['-i', 'inventory'], ['--inventory=inventory/hosts.yml']]) {
    const { status, stdout } = spawnSync(
      process.execPath,
      [join(repo, 'cli/vestal.js'), 'rolling-upgrade', ...words, '--help'],
      { cwd: folder, encoding: 'utf8' },
    )
    expect([status, stdout]).toEqual([0, expect.stringMatching(/--queue +The version of queue to roll to/)])
  }
})
