/** One Prometheus and three machines with servers and exporters of them, and what they say. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { sharedFolder } from '../../../lib/lab/places.ts'
import { packagesFolder } from '../../exporters/tools.ts'
import { inventoryOf } from '../deploy/inventories.ts'
import { testLab } from '../lab-setup.ts'
import { onHost } from '../vestal.ts'

export const HOSTS = { prom: '10.88.0.11', cache: '10.88.0.12', web: '10.88.0.13', hardware: '10.88.0.14' } as const
export type HostName = keyof typeof HOSTS

/** Never in any argument list, nor in a file that others than root read. */
export const PASSWORD = 'pass$word`"\\with:all@of/it'

/** Exporters by host, in the older version of two where the archive has two. */
export const EXPORTERS: Readonly<Record<HostName, Readonly<Record<string, object>>>> = {
  prom: {
    blackbox: {
      version: '0.23.0',
      probes: {
        ready: { module: 'http_2xx', group: 'prometheus', target: 'http://{address}:9090/-/ready' },
        ping: { module: 'icmp', group: 'all' },
        closed: { module: 'tcp_connect', targets: ['10.88.0.12:1'] },
      },
    },
  },
  cache: {
    redis: { version: '1.45.0', environment: { REDIS_PASSWORD: { $env: 'REDIS_SECRET' } } },
    nginx: {
      version: '0.11.0',
      extra_flags: { 'nginx.scrape-uri': 'http://127.0.0.1:8080/stub_status', 'nginx.ssl-verify': false },
    },
    process: { source: 'package', version: '0.7.10' },
    systemd: { version: '0.7.0' },
    second: {
      exporter: 'redis',
      version: '1.45.0',
      listen: '0.0.0.0:9221',
      environment: { REDIS_PASSWORD: { $env: 'REDIS_SECRET' } },
    },
  },
  web: {
    postgres: { version: '0.11.1', environment: { DATA_SOURCE_NAME: { $env: 'POSTGRES_SECRET' } } },
    apache: {
      source: 'package',
      version: '0.12.0',
      extra_flags: { scrape_uri: 'http://127.0.0.1:8081/server-status?auto' },
    },
    bind: { source: 'package' },
    pushgateway: { version: '1.5.1' },
    pgbouncer: {
      version: '0.10.2',
      environment: {
        PGBOUNCER_EXPORTER_CONNECTION_STRING: 'postgres://exporter:@127.0.0.1:6432/pgbouncer?sslmode=disable',
      },
    },
    haproxy: { version: '0.14.0', extra_flags: { 'haproxy.scrape-uri': 'http://127.0.0.1:8404/stats;csv' } },
  },
  hardware: {
    smartctl: { version: '0.14.0' },
    ipmi: { version: '1.6.1' },
    mysqld: {
      version: '0.17.2',
      environment: { MYSQLD_EXPORTER_PASSWORD: { $env: 'MYSQL_SECRET' } },
      extra_flags: { 'mysqld.username': 'exporter' },
    },
    snmp: {
      version: '0.28.0',
      config: {
        auths: { public_v2: { version: 2, community: { $env: 'REDIS_SECRET' } } },
        modules: { uptime: { get: ['1.3.6.1.2.1.1.3.0'] } },
      },
    },
  },
}

/** What the newer of two versions is, by the flag of a roll. */
export const NEWER: Readonly<Record<string, string>> = {
  'blackbox-exporter': '0.28.0',
  'redis-exporter': '1.86.0',
  'nginx-prometheus-exporter': '1.5.1',
  'postgres-exporter': '0.17.1',
  pushgateway: '1.11.0',
  'haproxy-exporter': '0.15.0',
  'pgbouncer-exporter': '0.12.0',
  'mysqld-exporter': '0.19.0',
  'snmp-exporter': '0.30.1',
  'ipmi-exporter': '1.10.1',
}

export const SECRETS = {
  MYSQL_SECRET: 'read-only-1',
  REDIS_SECRET: PASSWORD,
  POSTGRES_SECRET: `postgresql://exporter:${encodeURIComponent(PASSWORD)}@127.0.0.1:5432/postgres?sslmode=disable`,
}

export const siteWith = (exporters: Readonly<Record<HostName, Readonly<Record<string, object>>>>): string =>
  inventoryOf({
    'hosts.yml': {
      all: {
        children: {
          prometheus: { hosts: { prom: null } },
          servers: { hosts: { cache: null, web: null, hardware: null } },
        },
      },
    },
    ...Object.fromEntries(
      Object.entries(HOSTS).map(([name, address]) => [
        `host_vars/${name}.yml`,
        { ansible_host: address, exporters: exporters[name as HostName] },
      ]),
    ),
    'group_vars/prometheus.yml': {
      prometheus: { version: '3.5.3', scrape_interval: '2s', evaluation_interval: '2s' },
      rules: { watchdog: false },
    },
  })

/** Installs packages of the distribution on a host, from a folder: it has no way to an archive. */
export const packagesFrom = async (address: string, names: readonly string[]): Promise<void> => {
  cpSync(packagesFolder(), join(sharedFolder(testLab), 'packages'), { recursive: true })
  const archive = "echo 'deb [trusted=yes] file:/srv/shared/packages ./' >/etc/apt/sources.list; apt-get -qq update"
  const get = 'DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends'
  await onHost(address, `${archive} && ${get} ${names.join(' ')} >/dev/null </dev/null`)
}

/** The servers themselves, each on a port or socket that its exporter asks. */
export const serversStand = async (): Promise<void> => {
  await packagesFrom(HOSTS.prom, [])
  await packagesFrom(HOSTS.cache, ['redis-server', 'nginx'])
  await onHost(HOSTS.cache, 'sh -s', CACHE)
  await packagesFrom(HOSTS.web, ['postgresql', 'pgbouncer', 'apache2', 'bind9'])
  await onHost(HOSTS.web, 'sh -s', WEB)
  await packagesFrom(HOSTS.hardware, ['mariadb-server'])
  await onHost(HOSTS.hardware, 'sh -s', HARDWARE)
}

const quoted = `'${PASSWORD.replaceAll("'", "'\\''")}'`
const CACHE = `set -eu
printf '%s\\n' 'bind 127.0.0.1' 'port 6379' "requirepass \\"$(printf %s ${quoted} | sed 's/[\\\\"]/\\\\&/g')\\"" >/etc/redis/redis.conf
systemctl restart redis-server
printf '%s\\n' 'server { listen 127.0.0.1:8080; location = /stub_status { stub_status; } }' >/etc/nginx/conf.d/status.conf
rm -f /etc/nginx/sites-enabled/default
systemctl restart nginx
`
const WEB = `set -eu
systemctl start postgresql
until su postgres -c 'psql -c "select 1"' >/dev/null 2>&1; do sleep 1; done
su postgres -s /bin/sh -c "psql -v ON_ERROR_STOP=1 -v password=${quoted.replaceAll('\\', '\\\\').replaceAll('$', '\\$').replaceAll('`', '\\`').replaceAll('"', '\\"')}" <<'SQL'
drop role if exists exporter;
create role exporter login password :'password';
grant pg_monitor to exporter;
SQL
printf '%s\\n' 'Listen 127.0.0.1:8081' >/etc/apache2/ports.conf
sed -i 's/\\*:80/127.0.0.1:8081/' /etc/apache2/sites-available/000-default.conf
systemctl restart apache2
printf '%s\\n' 'options { directory "/var/cache/bind"; listen-on { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; };' 'statistics-channels { inet 127.0.0.1 port 8053 allow { 127.0.0.1; }; };' >/etc/bind/named.conf
systemctl restart named
printf '%s\\n' 'defaults' '  mode http' '  timeout connect 1s' '  timeout client 1s' '  timeout server 1s' 'frontend stats' '  bind 127.0.0.1:8404' '  stats enable' '  stats uri /stats' >/etc/haproxy/haproxy.cfg
systemctl restart haproxy
printf '%s\\n' '[databases]' '[pgbouncer]' 'listen_addr = 127.0.0.1' 'listen_port = 6432' 'auth_type = trust' 'auth_file = /etc/pgbouncer/userlist.txt' 'stats_users = exporter' 'ignore_startup_parameters = extra_float_digits' >/etc/pgbouncer/pgbouncer.ini
printf '%s\\n' '"exporter" ""' >/etc/pgbouncer/userlist.txt
systemctl restart pgbouncer
`

const HARDWARE = `set -eu
systemctl start mariadb
mariadb -e "drop user if exists exporter@'%'; create user exporter@'%' identified by '${SECRETS.MYSQL_SECRET}'; grant process, replication client, select on *.* to exporter@'%'"
`

/** The value of every series that Prometheus answers with, by what tells them apart. */
export const query = async (
  expression: string,
  by: (labels: Readonly<Record<string, string>>) => string,
): Promise<Readonly<Record<string, number>>> => {
  const url = `http://${HOSTS.prom}:9090/api/v1/query?query=${encodeURIComponent(expression)}`
  const { data } = (await (await fetch(url, { signal: AbortSignal.timeout(10_000) })).json()) as {
    data: { result: readonly { metric: Record<string, string>; value: readonly [number, string] }[] }
  }
  return Object.fromEntries(data.result.map(({ metric, value }) => [by(metric), Number(value[1])]))
}
