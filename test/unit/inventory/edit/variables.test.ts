import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { InputError } from '../../../../lib/errors.ts'
import { setHostVariable, setVariable } from '../../../../lib/inventory/edit/set-variable.ts'
import { editDiff, writeEdits } from '../../../../lib/inventory/edit/write.ts'
import { loadInventory } from '../../../../lib/inventory/load.ts'
import { inFolder, yaml } from '../files.ts'

const files = {
  'hosts.yml': yaml`
    all:
      children:
        prometheus:
          hosts:
            p1: { ansible_host: 10.0.0.1 }
            p2:
  `,
  'group_vars/prometheus.yml': yaml`
    # Which one runs.
    prometheus:
      version: '3.5.3' # an LTS
      retention: { time: 15d }
  `,
}
const both = ['p1', 'p2']

describe('a variable that is set', () => {
  test('is changed where it is written, quotes and comments kept', async () => {
    await inFolder(files, async (folder) => {
      const inventory = await loadInventory([folder], [])
      const { edits, places } = setVariable(inventory, {
        hosts: both,
        path: ['prometheus', 'version'],
        value: '3.10.1',
      })
      expect(places).toEqual([{ where: `${folder}/group_vars/prometheus.yml:3:12`, from: '3.5.3', hosts: both }])
      expect(editDiff(edits)).toContain("-  version: '3.5.3' # an LTS\n+  version: '3.10.1' # an LTS\n")
      writeEdits(edits)
      const text = readFileSync(join(folder, 'group_vars/prometheus.yml'), 'utf8')
      expect(text).toBe(files['group_vars/prometheus.yml'].replace('3.5.3', '3.10.1'))
    })
  })
  test('is added to its mapping where it was not set', async () => {
    await inFolder(files, async (folder) => {
      const inventory = await loadInventory([folder], [])
      const size = setVariable(inventory, { hosts: both, path: ['prometheus', 'retention', 'size'], value: '2GiB' })
      const { edits } = setVariable(inventory, { hosts: both, path: ['prometheus', 'shard'], value: '1' }, size.edits)
      expect(edits[0]?.after).toBe(
        files['group_vars/prometheus.yml'].replace('15d }', '15d, size: 2GiB }\n  shard: "1"'),
      )
    })
  })
  test('is changed in each place the hosts get it from', async () => {
    const more = { ...files, 'host_vars/p2.yml': 'prometheus: {version: 2.53.3}\n' }
    await inFolder(more, async (folder) => {
      const inventory = await loadInventory([folder], [])
      const { edits, places } = setVariable(inventory, { hosts: both, path: ['prometheus', 'version'], value: '3.5.3' })
      expect(places.map(({ from, hosts }) => [from, hosts])).toEqual([
        ['3.5.3', ['p1']],
        ['2.53.3', ['p2']],
      ])
      expect(edits.map(({ after }) => after)).toEqual(['prometheus: {version: 3.5.3}\n'])
    })
  })

  const refusal = (own: Readonly<Record<string, string>>, hosts: readonly string[]): Promise<string> =>
    inFolder({ ...files, ...own }, async (folder) => {
      const inventory = await loadInventory([folder], [])
      try {
        setVariable(inventory, { hosts, path: ['prometheus', 'version'], value: '9.9.9' })
        return 'no error'
      } catch (error) {
        if (!(error instanceof InputError)) throw error
        return error.message.replaceAll(`${folder}/`, '')
      }
    })
  test('is refused where it would change other hosts, is a template, comes by an alias, or is not there', async () => {
    expect(await refusal({}, ['p1'])).toMatch(
      /^group_vars\/prometheus.yml:2:1: prometheus.version: the value also holds for p2\n/,
    )
    const templated = { 'group_vars/prometheus.yml': 'prometheus: { version: "{{ wanted }}" }\n' }
    expect(await refusal(templated, both)).toMatch(
      /:1:24: the value is a template\n {2}by hand: set prometheus.version to "9.9.9"/,
    )
    const anchored = { 'group_vars/prometheus.yml': 'v: &v 3.5.3\nprometheus: { version: *v }\n' }
    expect(await refusal(anchored, both)).toMatch(/:2:24: the value is repeated elsewhere, by an anchor/)
    const elsewhere = { 'group_vars/prometheus.yml': 'other: 1\n' }
    expect(await refusal(elsewhere, both)).toMatch(/^inventory: prometheus.version: p1, p2 have no variable/)
  })
})

test('a variable of one host is written behind its name, or where it is already', async () => {
  await inFolder(files, async (folder) => {
    const inventory = await loadInventory([folder], [])
    const one = setHostVariable(inventory, { host: 'p1', name: 'ansible_host', value: '10.0.0.9' })
    const two = setHostVariable(inventory, { host: 'p2', name: 'ansible_host', value: '10.0.0.8' }, one)
    expect(two[0]?.after).toBe(
      files['hosts.yml'].replace('10.0.0.1', '10.0.0.9').replace('p2:', 'p2: { ansible_host: 10.0.0.8 }'),
    )
  })
})
