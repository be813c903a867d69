import { describe, expect, test } from 'vitest'
import { describeMistake, InputError } from '../../../../lib/errors.ts'
import type { Role } from '../../../../lib/model.ts'
import { scopeOf } from '../../../../lib/playbook.ts'
import { backendsOf } from '../../../../roles/gateway/backends.ts'
import { checks } from '../../../../roles/gateway/checks.ts'
import { serversDown, serversSeenBy } from '../../../../roles/gateway/gates.ts'
import { gateway } from '../../../../roles/gateway/role.ts'
import { type Fleet, fleet, route } from '../fleet.ts'

const CONFIG = '/etc/gateway/haproxy.cfg'
const site = (
  settings: object = {},
  { prometheus = {}, groups = {} }: { readonly prometheus?: object; readonly groups?: object } = {},
  files: Readonly<Record<string, string>> = {},
) =>
  fleet({
    'hosts.yml': JSON.stringify({
      all: {
        vars: {
          prometheus: { version: '3.5.3', ...prometheus },
          alertmanager: { version: '0.33.1', config: route },
          thanos_query: { version: '0.42.4' },
          gateway: settings,
        },
        children: {
          prometheus: { hosts: { 'prom-1': { ansible_host: '10.0.0.1' }, 'prom-2': { ansible_host: '10.0.0.2' } } },
          alertmanager: { hosts: { 'am-1': { ansible_host: '10.0.0.3' } } },
          thanos_query: { hosts: { 'q-1': { ansible_host: 'fd00::4' } } },
          gateway: { hosts: { 'gw-1': { ansible_host: '10.0.0.8' }, 'gw-2': { ansible_host: '10.0.0.9' } } },
          ...groups,
        },
      },
    }),
    ...files,
  })
const refusal = async (made: Promise<Fleet>): Promise<string> => {
  try {
    using one = await made
    one.tasks('gateway', 'gw-1')
    return 'nothing was refused'
  } catch (error) {
    if (error instanceof InputError) return error.mistakes.map(describeMistake).join('\n')
    throw error
  }
}
/** The lines of a section, without those of the next. */
const section = (text: string, head: string): string =>
  text.slice(text.indexOf(`\n${head}\n`) + 1).split('\n\n')[0] ?? ''

describe('the configuration', () => {
  test('has a port and a backend for each page, whose servers answer real questions', async () => {
    using one = await site({ query_check: "count(up{job='node'})" })
    const text = one.text('gateway', 'gw-1', CONFIG)
    expect(section(text, 'frontend query')).toContain('bind 0.0.0.0:8090')
    const query = section(text, 'backend query')
    expect(query).toContain('server q-1 [fd00::4]:10904\n')
    expect(query).toContain('server q-1.unchecked [fd00::4]:10904 backup no-check')
    expect(query).toContain('uri /-/ready ')
    expect(query).toContain('uri /api/v1/query?query=count(up%7Bjob%3D%27node%27%7D) ')
    expect(section(text, 'backend prometheus')).toContain('server prom-2 10.0.0.2:9090 cookie prom-2\n')
    expect(section(text, 'backend alertmanager')).toContain('server am-1 10.0.0.3:9093\n')
    expect(text).not.toContain('userlist')
  })

  test('has no page that is turned off, or that nobody is behind', async () => {
    using one = await site({ prometheus: null }, { groups: { alertmanager: { hosts: {} } } })
    const text = one.text('gateway', 'gw-1', CONFIG)
    expect(text.match(/^(?:frontend|backend) .*/gm)).toEqual(['frontend metrics', 'frontend query', 'backend query'])
  })

  test('lets the pages and the API of tenants of a ring through, and none that manage the ring', async () => {
    const cortex_alertmanager = {
      hosts: { 'ring-1': { ansible_host: '10.0.0.11' } },
      vars: {
        cortex_alertmanager: {
          version: '1.21.1',
          external_url: 'https://alerts.example.net/alertmanager',
          storage: { backend: 'filesystem', dir: '/srv/shared' },
        },
      },
    }
    using one = await site({ alertmanager: null }, { groups: { cortex_alertmanager } })
    const text = one.text('gateway', 'gw-1', CONFIG)
    expect(section(text, 'frontend ring')).toContain('bind 0.0.0.0:8094')
    const ring = section(text, 'backend ring')
    expect(ring).toContain('http-check send meth GET uri /ready ver HTTP/1.1')
    expect(ring).toContain('server ring-1 10.0.0.11:9009\n')
    // HAProxy compiles expressions into executable memory, which its unit forbids: it would not start.
    expect(text).not.toMatch(/ -m reg |_reg\b|regsub|rstring/)
    expect(ring).toContain('deny_status 404 unless { path /alertmanager } || { path_beg /alertmanager/ }')
    expect(ring).toContain('retry-on conn-failure empty-response junk-response 503\n')
    expect(section(text, 'backend query')).toContain('retry-on conn-failure empty-response junk-response\n')
    const needs = (of: Fleet) => {
      const role = gateway as Role
      return role.needs?.(scopeOf(role, of.host('gw-1'), of.inventory)).ports?.map(({ port }) => port)
    }
    expect(needs(one)).toContain(8094)
    using without = await site()
    expect(needs(without)).not.toContain(8094)
  })

  test('wants a login for every page where there are users, and hides their hashes', async () => {
    using one = await site({ users: { ops: '$5$salt$hidden-hash' }, certificate: '/etc/ssl/gw.pem' })
    const text = one.text('gateway', 'gw-1', CONFIG)
    expect(text).toContain('userlist people\n  user ops password [secret]\n')
    expect(text.match(/http-request auth realm Vestal unless \{ http_auth\(people\) \}/g)).toHaveLength(3)
    expect(text.match(/bind .* ssl crt \/etc\/ssl\/gw\.pem alpn h2,http\/1\.1/g)).toHaveLength(3)
    expect(JSON.stringify(one.tasks('gateway', 'gw-1'))).not.toContain('hidden-hash')
  })

  test('has a certificate of the fleet for its pages, which it reads again when another is issued', async () => {
    const settings = { certificate: 'fleet', floating: { address: '10.0.0.100/24' } }
    using one = await site(settings, {}, { 'group_vars/all.yml': 'tls: { plain: [gateway] }' })
    expect(one.text('gateway', 'gw-1', CONFIG).match(/bind .* ssl crt \/etc\/gateway\/web\.pem alpn/g)).toHaveLength(3)
    const task = one.task('gateway', 'gw-1', 'certificate /etc/gateway/web.pem')
    expect(task.data).toMatchObject({ names: ['10.0.0.100', '10.0.0.8', 'gw-1'], reloads: 'gateway.service' })
    const from = { type: 'file', mode: '0640', owner: 'root', group: 'haproxy', certificate: 'it expired', until: '' }
    const [step] = task.kind.converge({ task, from, to: task.desired, fields: ['certificate'] })
    expect(step?.run).toMatch(/mv -fT .*systemctl reload -- gateway\.service; fi$/s)
    expect(await refusal(site({ certificate: 'fleet' }))).toMatch('`tls`, which is not set for this host')
  })

  test('compares the certificates of the fleet with the hosts’ names, as HAProxy knows no addresses in them', async () => {
    using one = await site({}, {}, { 'group_vars/all.yml': 'tls: { plain: [gateway] }' })
    const text = section(one.text('gateway', 'gw-1', CONFIG), 'backend prometheus')
    // Its checks too: one that only says `connect` asks in plain text, whatever the server's line says.
    expect(text.match(/http-check connect.*/g)).toEqual(['http-check connect default', 'http-check connect default'])
    expect(text).toContain(
      "server prom-1 10.0.0.1:9090 ssl verify required verifyhost prom-1 sni 'str(prom-1)' ca-file /etc/vestal/authority.crt",
    )
  })

  test('speaks to its servers as Prometheus does: TLS, names, logins and prefixes', async () => {
    using one = await site(
      {},
      {
        prometheus: {
          external_url: 'https://prom.example.net/p/',
          web_config: { tls_server_config: { cert_file: '/c', key_file: '/k' } },
          web_client_tls: { ca_file: '/etc/ca', server_name: 'prom' },
          web_user: { username: 'vestal', password: 'hidden-word' },
        },
      },
    )
    const text = section(one.text('gateway', 'gw-1', CONFIG), 'backend prometheus')
    expect(text).toContain(
      "server prom-1 10.0.0.1:9090 ssl verify required verifyhost prom sni 'str(prom)' ca-file /etc/ca cookie prom-1",
    )
    expect(text).toContain('uri /p/-/ready ver HTTP/1.1 hdr Host localhost hdr Authorization "[secret]"')
    expect(text).toContain('http-request set-header Authorization "[secret]"')
  })

  test('is validated before it is put in place, and reloaded', async () => {
    using one = await site()
    expect(one.fileData('gateway', 'gw-1', CONFIG).validate).toBe('/usr/sbin/haproxy -c -q -f "$1"')
    expect(one.task('gateway', 'gw-1', 'service gateway').data).toMatchObject({
      reloads: true,
      loads: [expect.objectContaining({ path: CONFIG })],
    })
    expect(one.unitText('gateway', 'gw-1')).not.toContain('CAP_NET_BIND_SERVICE')
    using low = await site({ query: '0.0.0.0:443' })
    expect(low.unitText('gateway', 'gw-1')).toContain('AmbientCapabilities=CAP_NET_BIND_SERVICE')
  })
})

describe('a floating address', () => {
  test('goes to the first in the inventory that works, by unicast', async () => {
    using one = await site({ floating: { address: '10.0.0.100/24', interface: 'ens3', interval: '1s' } })
    const text = (host: string) => one.text('gateway', host, '/etc/gateway/keepalived.conf')
    expect(text('gw-1')).toMatch(
      /priority 200\n +advert_int 1\n[\s\S]*unicast_src_ip 10\.0\.0\.8\n +unicast_peer \{\n +10\.0\.0\.9\n/,
    )
    expect(text('gw-2')).toMatch(/interface ens3\n[\s\S]*priority 199\n[\s\S]*10\.0\.0\.100\/24/)
  })

  test.each([
    [{ floating: { address: '10.0.0.8/24' } }, /is the address of the host itself/],
    [{ floating: { address: '10.0.0.100' } }, /expected an address with the length of its network/],
    [{ users: { 'o p': 'x' } }, /expected a name/],
    [{ query: '8090' }, /expected an address and port/],
  ])('and other settings: %j is refused', async (settings, said) => {
    expect(await refusal(site(settings))).toMatch(said)
  })
})

describe('what a gateway says of its servers', () => {
  const CSV = `# pxname,svname,qcur,status,weight,last_chk,
query,q-1,0,UP,1,HTTP content matches,
query,q-1.unchecked,0,no check,1,,
prometheus,prom-1,0,DOWN,1,"L4CON",
prometheus,prom-2,0,UP 1/2,1,,
`
  const answering = (body: string) => async () =>
    ({ request: async () => ({ status: 200, headers: {}, body }) }) as never

  test('is read, and whoever is not up is named with why', async () => {
    using one = await site()
    const seen = await serversSeenBy(answering(CSV), { host: one.host('gw-1'), port: 8404 })
    const vars = gateway.varsOf(one.host('gw-1'))
    expect(
      serversDown(seen, backendsOf(one.inventory, vars)).map(({ name, status, said }) => [name, status, said]),
    ).toEqual([
      ['prom-1', 'DOWN', 'L4CON'],
      ['prom-2', 'UP 1/2', ''],
      ['am-1', 'not there', ''],
    ])
  })

  test('is refused in another form', async () => {
    using one = await site()
    await expect(serversSeenBy(answering('<html>'), { host: one.host('gw-1'), port: 8404 })).rejects.toThrow(
      /unknown form/,
    )
  })
})

test('the last gateway is not taken away, and none is interrupted while no other one has somebody to ask', async () => {
  using one = await site()
  const role = gateway as Role
  expect(role.minimum?.(one.host('gw-1'), [], one.inventory)?.what).toMatch(/last gateway/)
  const batch = [one.host('gw-1')]
  const before = role.rollout?.before?.({ inventory: one.inventory, batch, hosts: one.inventory.hosts }) ?? []
  expect(before.map(({ host }) => host)).toEqual(['gw-2'])
})

describe('checks', () => {
  const findings = async (made: Promise<Fleet>) => {
    using one = await made
    const hosts = one.inventory.hosts.filter(({ groups }) => groups.includes('gateway'))
    const facts = { inventory: one.inventory, hosts, command: () => undefined }
    return checks.flatMap(({ id, find }) => find(facts).map(({ hosts: at }) => `${id} ${at.join()}`))
  }
  const lone = { gateway: { hosts: { 'gw-1': {} } } }

  test('find nothing where all is right', async () => {
    expect(await findings(site({ floating: { address: '10.0.0.100/24' } }))).toEqual([])
  })
  test('find a Prometheus that sends its alerts to the address that floats', async () => {
    const am = { ansible_host: '10.0.0.100', alertmanager: { version: '0.33.1', listen: ':8093', config: route } }
    const groups = { alertmanager: { hosts: { 'am-1': am } } }
    expect(await findings(site({ floating: { address: '10.0.0.100/24' } }, { groups }))).toEqual([
      'alerts-through-gateway prom-1',
      'alerts-through-gateway prom-2',
    ])
    expect(await findings(site({ floating: { address: '10.0.0.100/24' }, alertmanager: ':8094' }, { groups }))).toEqual(
      [],
    )
  })
  test('find a lone gateway, and logins in the clear', async () => {
    expect(await findings(site({ users: { ops: 'x' } }, { groups: lone }))).toEqual([
      'gateway-alone gw-1',
      'gateway-login-in-the-clear gw-1',
    ])
    const loopback = { query: '127.0.0.1:8090', prometheus: '127.0.0.1:8091', alertmanager: null }
    expect(await findings(site({ users: { ops: 'x' }, ...loopback }))).toEqual([])
  })
})
