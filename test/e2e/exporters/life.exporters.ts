/** Exporters on machines: scraped, shown, rolled to another version, rolled back, taken away, and brought back. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { changesOf, type Ended, onHost, planOf, vestal } from '../vestal.ts'
import { EXPORTERS, HOSTS, type HostName, NEWER, query, SECRETS, serversStand, siteWith } from './site.ts'

const inventory = siteWith(EXPORTERS)
const run = (...words: readonly string[]): Promise<Ended> => vestal([...words, '-i', inventory], { env: SECRETS })
const well = async (...words: readonly string[]): Promise<Ended> => {
  const ended = await run(...words)
  expect({ code: ended.code, said: ended.code === 0 ? '' : ended.stdout + ended.stderr }).toEqual({ code: 0, said: '' })
  return ended
}
const setExporters = (host: HostName, exporters: object): void =>
  writeFileSync(join(inventory, 'host_vars', `${host}.yml`), stringify({ ansible_host: HOSTS[host], exporters }))

/** Asks until it is so, as a scrape takes its time. */
const comesTo = async <T>(ask: () => Promise<T>, wanted: T, withinMs = 60_000): Promise<void> => {
  const end = Date.now() + withinMs
  let last = await ask()
  while (JSON.stringify(last) !== JSON.stringify(wanted) && Date.now() < end) {
    await sleep(1_000)
    last = await ask()
  }
  expect(last).toEqual(wanted)
}
const sorted = (record: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))

const KINDS = new Set(
  Object.values(EXPORTERS).flatMap((some) =>
    Object.entries(some).map(([name, vars]) => (vars as { exporter?: string }).exporter ?? name),
  ),
)

beforeAll(async () => {
  await serversStand()
  await well('deploy')
}, 900_000)

test('fifteen kinds of exporters are there', () => {
  expect(KINDS.size).toBeGreaterThanOrEqual(15)
})

test('a second deploy has nothing to do', async () => {
  expect(changesOf(planOf(await run('plan', '--json')))).toEqual({})
})

test('each is scraped under the job of its name', async () => {
  const expected = Object.fromEntries([...KINDS].sort().map((name) => [name, 1]))
  await comesTo(
    async () => sorted(await query(`min by (job) (up{job=~"${[...KINDS].join('|')}"})`, ({ job }) => job ?? '')),
    expected,
  )
})

test('each that has a server here reads it, with its password', async () => {
  const up = 'redis_up or nginx_up or pg_up or pgbouncer_up or apache_up or bind_up or haproxy_up or mysql_up'
  await comesTo(
    async () =>
      sorted(
        await query(
          `label_replace(${up
            .split(' or ')
            .map((one) => `label_replace(${one}, "metric", "${one}", "", "")`)
            .join(' or ')}, "x", "", "", "")`,
          ({ metric, instance }) => `${metric} ${instance}`,
        ),
      ),
    {
      'apache_up web:9117': 1,
      'bind_up web:9119': 1,
      'haproxy_up web:9101': 1,
      'mysql_up hardware:9104': 1,
      'nginx_up cache:9113': 1,
      'pg_up web:9187': 1,
      'pgbouncer_up web:9127': 1,
      'redis_up cache:9121': 1,
      'redis_up cache:9221': 1,
    },
  )
  await comesTo(
    () => query('count(namedprocess_namegroup_num_procs{groupname="redis-server"})', () => 'redis-server'),
    { 'redis-server': 1 },
  )
  await comesTo(
    () => query('systemd_unit_state{name="redis-server.service",state="active"}', ({ name }) => name ?? ''),
    { 'redis-server.service': 1 },
  )
})

test('probes see what is there and what is not, ICMP too', async () => {
  await comesTo(
    async () => sorted(await query('probe_success', ({ job, instance, prober }) => `${job} ${instance} by ${prober}`)),
    {
      'closed 10.88.0.12:1 by prom': 0,
      'ping cache by prom': 1,
      'ping hardware by prom': 1,
      'ping prom by prom': 1,
      'ping web by prom': 1,
      'ready http://prom:9090/-/ready by prom': 1,
    },
  )
})

test('their rules are loaded, and the one of the closed port will fire', async () => {
  const answer = (await (await fetch(`http://${HOSTS.prom}:9090/api/v1/rules`)).json()) as {
    data: { groups: readonly { name: string; rules: readonly { name: string; state: string }[] }[] }
  }
  const group = answer.data.groups.find(({ name }) => name === 'vestal-blackbox')
  expect(group?.rules.map(({ name, state }) => `${name} ${state}`)).toContain('ProbeFails pending')
})

test('status shows each with its version and what is behind it; check finds nothing wrong with them', async () => {
  const status = JSON.parse((await run('status', '--json')).stdout)
  const rows = status.instances.filter(({ role }: { role: string }) => !['prometheus', 'rules'].includes(role))
  const said = Object.fromEntries(
    rows.map(
      ({
        instance,
        role,
        healthy,
        version,
      }: {
        instance: string
        role: string
        healthy: boolean
        version?: { running: string }
      }) => [`${instance} ${role}`, `${healthy} ${version?.running ?? ''}`],
    ),
  )
  expect(said).toMatchObject({
    'prom blackbox_exporter': 'true 0.23.0',
    'cache redis_exporter': 'true 1.45.0',
    'cache redis_exporter-second': 'true 1.45.0',
    'cache nginx-prometheus-exporter': 'true 0.11.0',
    'cache process-exporter': 'true ',
    'web postgres_exporter': 'true 0.11.1',
    'hardware snmp_exporter': 'true 0.28.0',
  })
  expect(status.healthy).toBe(true)
  const { stdout } = await run('check', '--json')
  expect(
    JSON.parse(stdout).findings?.filter(
      ({ id, what }: { id: string; what: string }) => /port \d/.test(what) && id !== 'open-ports',
    ) ?? [],
  ).toEqual([])
})

test('a package’s own unit is masked and does not run beside ours', async () => {
  const said = await onHost(
    HOSTS.cache,
    'systemctl is-enabled prometheus-process-exporter; systemctl is-active prometheus-process-exporter; pgrep -c -x prometheus-proc || :',
  )
  expect(said.trim().split('\n')).toEqual(['masked', 'inactive', '1'])
})

test('no password is in an argument list, in a unit, or in a file that others than root read', async () => {
  for (const address of [HOSTS.cache, HOSTS.web, HOSTS.hardware]) {
    // What is looked for stands in a file: it would be found in the argument list of who looks.
    const found = await onHost(
      address,
      `cat >/root/sought
cat /proc/[0-9]*/cmdline /etc/systemd/system/*.service | tr '\\0' '\\n' | grep -cFf /root/sought || :
find /etc -path '*exporter*' -name environment ! -perm 0600 | wc -l
find /etc -path '*exporter*' -name environment -exec cat {} + | grep -cFf /root/sought || :
rm /root/sought`,
      `with:all@of/it\n${encodeURIComponent('with:all@of/it')}\n${SECRETS.MYSQL_SECRET}\n`,
    )
    const [running, readable, written] = found.trim().split('\n').map(Number)
    expect([running, readable, (written ?? 0) > 0]).toEqual([0, 0, true])
  }
})

describe('another version', () => {
  const words = Object.entries(NEWER).flatMap(([flag, version]) => [`--${flag}`, version])
  const versionsOn = async (host: HostName): Promise<string> =>
    onHost(
      HOSTS[host],
      'for link in /opt/vestal/*/current; do printf "%s " "$(basename "$(dirname "$link")")=$(basename "$(readlink "$link")")"; done',
    )

  test('is rolled to, flags of each version as that version has them', async () => {
    await well('rolling-upgrade', ...words, '--no-watch-alerts')
    expect(await versionsOn('cache')).toContain('nginx-prometheus-exporter=1.5.1 redis_exporter=1.86.0')
    expect(await versionsOn('web')).toContain(
      'haproxy_exporter=0.15.0 pgbouncer_exporter=0.12.0 postgres_exporter=0.17.1 pushgateway=1.11.0',
    )
    expect(
      await onHost(HOSTS.cache, 'tr "\\0" " " </proc/$(systemctl show -P MainPID nginx-prometheus-exporter)/cmdline'),
    ).toContain('--no-nginx.ssl-verify')
    await comesTo(() => query('min(up)', () => 'all'), { all: 1 })
    expect(changesOf(planOf(await run('plan', '--json')))).toEqual({})
  })

  test('is rolled back from', async () => {
    await well('rollback', '--no-watch-alerts', '--yes')
    expect(await versionsOn('cache')).toContain('nginx-prometheus-exporter=0.11.0 redis_exporter=1.45.0')
    expect(await versionsOn('hardware')).toContain('ipmi_exporter=1.6.1')
    await comesTo(() => query('min(up)', () => 'all'), { all: 1 })
    expect(changesOf(planOf(await run('plan', '--json')))).toEqual({})
  })

  test('that has no such flag is refused before any machine is touched', async () => {
    const { code, stderr, stdout } = await run('rolling-upgrade', '--memcached-exporter', '1.0.0', '--no-watch-alerts')
    expect([code, stdout + stderr]).toEqual([2, expect.stringContaining('--memcached-exporter: no host has it')])
  })
})

describe('one that is taken out of the inventory', () => {
  const isThere = (host: HostName, name: string): Promise<string> =>
    onHost(
      HOSTS[host],
      `ls -d /etc/systemd/system/${name}.service /etc/${name} /opt/vestal/${name} /usr/local/bin/${name} 2>/dev/null; systemctl is-active ${name} || :`,
    )

  test('is shown by plan, stopped and taken away, while its second entry goes on; Prometheus forgets it', async () => {
    const { redis: _, ...rest } = EXPORTERS.cache
    setExporters('cache', rest)
    const plan = changesOf(planOf(await run('plan', '--json')))
    expect(plan.cache).toEqual(['units exporter'])
    await well('deploy')
    expect((await isThere('cache', 'redis_exporter')).trim().split('\n')).toEqual([
      '/opt/vestal/redis_exporter',
      '/usr/local/bin/redis_exporter',
      'inactive',
    ])
    expect(await onHost(HOSTS.cache, 'systemctl is-active redis_exporter-second')).toContain('active')
    await comesTo(async () => sorted(await query('up{job="redis"}', ({ instance }) => instance ?? '')), {
      'cache:9221': 1,
    })
    expect(changesOf(planOf(await run('plan', '--json')))).toEqual({})
  })

  test('comes back with a rollback, and goes again with the next deploy', async () => {
    await well('rollback', '--limit', 'cache', '--no-watch-alerts', '--yes')
    expect(
      await onHost(
        HOSTS.cache,
        'systemctl is-active redis_exporter; curl -s http://127.0.0.1:9121/metrics 2>/dev/null | grep -c "^redis_up 1" || :',
      ),
    ).toContain('active')
    expect(changesOf(planOf(await run('plan', '--json'))).cache).toEqual(['units exporter'])
    await well('deploy')
  })

  test('goes with its release where it was the last', async () => {
    const { second: _, redis: __, ...rest } = EXPORTERS.cache
    setExporters('cache', rest)
    await well('deploy')
    expect((await isThere('cache', 'redis_exporter')).trim()).toBe('inactive')
    setExporters('hardware', {})
    await well('deploy')
    expect(await onHost(HOSTS.hardware, 'ls /opt/vestal; systemctl list-units --plain --no-legend "*exporter*"')).toBe(
      '',
    )
    expect(changesOf(planOf(await run('plan', '--json')))).toEqual({})
  })
})

test('a port that another has is found before anything is changed', async () => {
  await onHost(
    HOSTS.hardware,
    `systemd-run --quiet --unit=squatter perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 1, LocalPort => 9290, ReuseAddr => 1) or die; sleep 600'
timeout 20 sh -c 'until ss -Hltn | grep -q :9290; do sleep 0.1; done'`,
  )
  setExporters('hardware', { ipmi: { version: '1.6.1' } })
  const { code, stdout, stderr } = await run('check')
  await onHost(HOSTS.hardware, 'systemctl stop squatter')
  expect(code).toBe(1)
  expect(stdout + stderr).toMatch(/9290/)
})
