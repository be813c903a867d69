/** A user's own role and playbook, as docs/own-role.md shows them, on two lab hosts: in a folder of their own, against the packed file. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onHost, project, vestal } from '../vestal.ts'
import { type OwnFolder, ownFolder, typeMistakes } from './own-folder.ts'

const HOSTS = ['10.88.0.15', '10.88.0.16'] as const
let own: OwnFolder
const asScript = (words: readonly string[]) =>
  vestal(words, {
    cwd: own.path,
    program: [process.execPath, join(project, 'node_modules/zx/build/cli.js'), 'playbook.ts'],
  })
const packed = (words: readonly string[]) => vestal(words, { cwd: own.path, program: own.vestal })
const RESET = `systemctl disable --now --quiet spool_exporter 2>/dev/null
rm -rf /etc/systemd/system/spool_exporter.service /usr/local/lib/spool-exporter.py /var/spool/work '/srv/in box'
systemctl daemon-reload`
const metric = async (address: string): Promise<string> => {
  const answer = await fetch(`http://${address}:9200/metrics`, { signal: AbortSignal.timeout(10_000) })
  return (await answer.text()).split('\n')[1] ?? ''
}

beforeAll(async () => {
  own = ownFolder()
  await Promise.all(HOSTS.map((address) => onHost(address, RESET)))
})

afterAll(() => rmSync(own.path, { recursive: true }))

test('the packed file has what a user needs and no tests', () => {
  for (const name of [
    'cli/vestal.js',
    'dist/cli/main.js',
    'dist/lib/role.d.ts',
    'dist/playbooks/deploy.js',
    'dist/roles/rules/files/canary.yml',
    'dist/roles/prometheus/templates/prometheus.service.ejs',
    'inventory/ha/hosts.yml',
    'README.md',
    'LICENSE',
  ])
    expect(own.packed).toContain(name)
  expect(own.packed.filter((name) => /(^|\/)(test|scripts|node_modules)\/|\.test\.|(?<!\.d)\.ts$/.test(name))).toEqual(
    own.packed.filter((name) => /^docs\/own-role\/.*\.ts$/.test(name)),
  )
})

test('the folder is free of type errors against the packed declarations', () => {
  expect(typeMistakes(own)).toBe('')
})

test('every command knows the role by its one line in vestal.config.ts', async () => {
  const { stdout } = await packed(['schema'])
  expect(JSON.parse(stdout).definitions.variables.properties.spool_exporter.properties.port.default).toBe(9200)
})

test('the exporter counts files on every host of the group', async () => {
  const { code, stdout, stderr } = await packed(['run', 'playbook.ts', '-i', 'inventory'])
  expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' })
  await onHost(HOSTS[1], "touch '/srv/in box/a' '/srv/in box/b'")
  expect(await Promise.all(HOSTS.map(metric))).toEqual(['spool_files 0', 'spool_files 2'])
})

test('running it again changes nothing', async () => {
  const { code, stdout } = await asScript(['-i', 'inventory'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/: 0 changed,/)
})

test('a program that somebody edited is put back, and the process that ran it restarted', async () => {
  await onHost(HOSTS[0], 'echo "# changed" >> /usr/local/lib/spool-exporter.py && systemctl restart spool_exporter')
  const { code, stdout } = await asScript(['-i', 'inventory'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/spool-1: restart spool_exporter\.service/)
  expect(stdout).toMatch(/: 2 changed,/)
  expect(await metric(HOSTS[0])).toBe('spool_files 0')
})
