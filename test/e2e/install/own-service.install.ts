/** A small service of a user's own, in a folder outside of this tree and against the packed file: everything the tool does, it does with it. */
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Header } from 'tar'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { stringify } from 'yaml'
import type { FleetStatus } from '../../../lib/health/types.ts'
import { type OwnFolder, ownFolder, typeMistakes } from '../roles/own-folder.ts'
import { onHost, resetHost, vestal } from '../vestal.ts'

const ADDRESS = {
  'prom-1': '10.88.0.11',
  'tally-1': '10.88.0.12',
  'tally-2': '10.88.0.13',
  'tally-3': '10.88.0.14',
} as const
type Name = keyof typeof ADDRESS
const TALLIES = ['tally-1', 'tally-2'] as const

let own: OwnFolder
const run = (...words: readonly string[]) =>
  vestal([...words, '-i', 'inventory'], { cwd: own.path, program: own.vestal })
const well = async (...words: readonly string[]) => {
  const ended = await run(...words)
  expect(ended.code, `${words.join(' ')}: ${ended.stdout.slice(-3_000)}${ended.stderr}`).toBe(0)
  return ended
}
const RESET = `systemctl disable --now --quiet tallyd 2>/dev/null
rm -rf /etc/systemd/system/tallyd.service /usr/local/bin/tallyd /var/lib/tally
userdel tally 2>/dev/null
systemctl daemon-reload`

/** A release as its makers would put it on a mirror. */
const release = (mirror: string, version: string, { broken = false } = {}): void => {
  const source = readFileSync(join(import.meta.dirname, 'own-service/tallyd'), 'utf8')
  const text = Buffer.from(source.replace('@VERSION@', version).replace('@BROKEN@', broken ? 'yes' : 'no'))
  const name = `tally-${version}.linux-amd64`
  const header = Buffer.alloc(512)
  new Header({ path: `${name}/tallyd`, type: 'File', size: text.length, mode: 0o755, mtime: new Date(0) }).encode(
    header,
  )
  const tarball = gzipSync(Buffer.concat([header, text, Buffer.alloc(512 - (text.length % 512) + 1024)]))
  const folder = join(mirror, 'acme/tally/releases/download', `v${version}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.tar.gz`), tarball)
  writeFileSync(
    join(folder, 'sha256sums.txt'),
    `${createHash('sha256').update(tarball).digest('hex')}  ${name}.tar.gz\n`,
  )
}

beforeAll(async () => {
  own = ownFolder()
  for (const name of ['role.ts', 'playbook.ts', 'spool-exporter.py', 'inventory'])
    rmSync(join(own.path, name), { recursive: true })
  cpSync(join(import.meta.dirname, 'own-service/tally.ts'), join(own.path, 'tally.ts'))
  writeFileSync(
    join(own.path, 'vestal.config.ts'),
    `import { config } from 'vestal/config'\nimport { tally } from './tally.ts'\n\nexport default config({ roles: [tally] })\n`,
  )
  const mirror = join(own.path, 'mirror')
  mkdirSync(mirror)
  symlinkSync(join(inject('lab').mirror, 'prometheus'), join(mirror, 'prometheus'))
  release(mirror, '1.0.0')
  release(mirror, '1.1.0')
  release(mirror, '2.0.0', { broken: true })
  mkdirSync(join(own.path, 'inventory'))
  const host = (name: Name) => [name, { ansible_host: ADDRESS[name] }]
  writeFileSync(
    join(own.path, 'inventory/hosts.yml'),
    stringify({
      all: {
        vars: {
          ansible_user: 'root',
          ansible_ssh_private_key_file: '/var/lib/vestal-lab/id_ed25519',
          ansible_ssh_common_args: '-o UserKnownHostsFile=/var/lib/vestal-lab/known_hosts',
          vestal: { lab: inject('lab').name, releases: `file:${mirror}` },
        },
        children: {
          prometheus: {
            hosts: Object.fromEntries([host('prom-1')]),
            vars: { prometheus: { version: '3.5.3', cluster: 'own', scrape_interval: '1s' } },
          },
          tally: { hosts: Object.fromEntries(TALLIES.map(host)), vars: { tally: { version: '1.0.0' } } },
        },
      },
    }),
  )
  await Promise.all(Object.values(ADDRESS).flatMap((address) => [resetHost(address), onHost(address, RESET)]))
})
afterAll(async () => {
  await Promise.all(Object.values(ADDRESS).map((address) => onHost(address, RESET)))
  rmSync(own.path, { recursive: true })
})

const status = async (): Promise<FleetStatus> => JSON.parse((await run('status', '--json')).stdout)
const versions = async (): Promise<Readonly<Record<string, string | undefined>>> =>
  Object.fromEntries(
    (await status()).instances.flatMap(({ instance, role, version }) =>
      role === 'tally' ? [[instance, version?.disk]] : [],
    ),
  )
const page = async (name: Name, init?: RequestInit): Promise<string> =>
  (await fetch(`http://${ADDRESS[name]}:7070/metrics`, { ...init, signal: AbortSignal.timeout(10_000) })).text()
const scraped = async (): Promise<readonly string[]> => {
  const answer = await fetch(
    `http://${ADDRESS['prom-1']}:9090/api/v1/query?query=${encodeURIComponent('up{job="tally"} == 1')}`,
  )
  const { data } = (await answer.json()) as { data: { result: readonly { metric: { instance: string } }[] } }
  return data.result.map(({ metric }) => metric.instance).sort()
}

test('its settings are in the schema and on the page of settings, and its file is free of type errors', async () => {
  const schema = await vestal(['schema'], { cwd: own.path, program: own.vestal })
  expect(JSON.parse(schema.stdout).definitions.variables.properties.tally.properties.port.default).toBe(7070)
  const settings = await vestal(['schema', 'settings'], { cwd: own.path, program: own.vestal })
  expect(settings.stdout).toContain('## tally\n\nCounts what it is sent.\n')
  expect(settings.stdout).toContain('| `port` | port | `7070` | Where it listens. |')
  expect(typeMistakes(own)).toBe('')
})

test('its port is among those that check looks at', async () => {
  const squat = `perl -MIO::Socket::INET -e '@held = IO::Socket::INET->new(Listen => 1, LocalPort => 7070) or die; sleep 600'`
  await onHost(ADDRESS['tally-2'], `systemd-run --quiet --unit=squatter ${squat}`)
  await expect.poll(() => onHost(ADDRESS['tally-2'], 'ss -Hltn sport = :7070'), { timeout: 30_000 }).not.toBe('')
  const { stdout, code } = await run('check', '--json')
  await onHost(ADDRESS['tally-2'], 'systemctl stop squatter')
  const { findings } = JSON.parse(stdout) as {
    findings: readonly { id: string; hosts: readonly string[]; what: string }[]
  }
  expect(findings.filter(({ id, what }) => what.includes('7070') && id !== 'open-ports')).toMatchObject([
    { hosts: ['tally-2'], what: expect.stringMatching(/tallyd\.service.*taken by perl/) },
  ])
  expect(code).toBe(1)
})

test('it is deployed, has a row in status, and Prometheus scrapes it', async () => {
  await well('deploy', '-y')
  expect(await versions()).toEqual({ 'tally-1': '1.0.0', 'tally-2': '1.0.0' })
  expect((await status()).healthy).toBe(true)
  await expect.poll(scraped, { timeout: 60_000, interval: 1_000 }).toEqual(['tally-1:7070', 'tally-2:7070'])
})

describe('a roll', () => {
  const interruptions = (events: Awaited<ReturnType<typeof run>>['events']) =>
    events.flatMap((event) => (event.event === 'batch-started' && event.interrupts ? [event.hosts] : []))

  test('to a version that serves goes one by one', async () => {
    const { events } = await well('rolling-upgrade', '-y', '--json', '--no-watch-alerts', '--tally', '1.1.0')
    expect(interruptions(events)).toEqual([['tally-1'], ['tally-2']])
    expect(await versions()).toEqual({ 'tally-1': '1.1.0', 'tally-2': '1.1.0' })
    expect(await page('tally-2')).toContain('tally_build_info{version="1.1.0"}')
  })
  test('to one whose gate says no is taken back, and the second machine is not touched', async () => {
    const ended = await run('rolling-upgrade', '-y', '--json', '--no-watch-alerts', '--tally', '2.0.0')
    expect(ended.code, ended.stderr).toBe(1)
    expect(interruptions(ended.events)).toEqual([['tally-1']])
    expect(ended.stdout).toMatch(/tally answers.*answered 500/)
    expect(await versions()).toEqual({ 'tally-1': '1.1.0', 'tally-2': '1.1.0' })
    for (const name of TALLIES) expect(await page(name)).toContain('tally_build_info{version="1.1.0"}')
    expect(readFileSync(join(own.path, 'inventory/hosts.yml'), 'utf8')).toContain('version: 1.1.0')
  })
})

test('what it holds is backed up and comes back', async () => {
  for (let count = 0; count < 3; count++) await page('tally-1', { method: 'POST' })
  await page('tally-2', { method: 'POST' })
  await well('backup', '--to', 'saved', '--limit', 'tally')
  await page('tally-1', { method: 'POST' })
  await onHost(ADDRESS['tally-2'], 'systemctl stop tallyd; rm /var/lib/tally/total; systemctl start tallyd')
  await well('restore', '--from', 'saved', '--limit', 'tally', '--yes')
  expect(await Promise.all(TALLIES.map((name) => page(name)))).toEqual([
    expect.stringContaining('tally_total 3\n'),
    expect.stringContaining('tally_total 1\n'),
  ])
})

test('a host of it is added and removed, and Prometheus follows', async () => {
  await well('add-node', 'tally-3', '--host', ADDRESS['tally-3'], '--role', 'tally', '-y', '--no-watch-alerts')
  await expect.poll(scraped, { timeout: 60_000, interval: 1_000 }).toHaveLength(3)
  expect(await versions()).toMatchObject({ 'tally-3': '1.1.0' })
  await well('remove-node', 'tally-3', '-y', '--no-watch-alerts')
  await expect.poll(scraped, { timeout: 60_000, interval: 1_000 }).toEqual(['tally-1:7070', 'tally-2:7070'])
  expect(await onHost(ADDRESS['tally-3'], 'systemctl is-enabled tallyd || :')).toBe('disabled\n')
  await well('plan', '--exit-code')
})
