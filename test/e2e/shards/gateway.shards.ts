/** Every form of the gateway's configuration, as HAProxy and keepalived themselves take it. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { hostAddress } from '../../../lib/lab/places.ts'
import { bytesOf } from '../../../lib/secret.ts'
import { configFile } from '../../../roles/gateway/config.ts'
import { gatewayOn } from '../../../roles/gateway/vars.ts'
import { rolesFor } from '../../../roles/registry.ts'
import { onHost } from '../vestal.ts'

const MACHINE = hostAddress(1)
const CA = '/etc/ssl/certs/ca-certificates.crt'
const TLS = { tls_server_config: { cert_file: '/c', key_file: '/k' } }
const PEM = '/tmp/gateway.pem'

const configWith = async (gateway: object, prometheus: object): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-gateway-'))
  const vars = {
    prometheus: { version: '3.5.3', ...prometheus },
    alertmanager: { version: '0.33.1', config: { route: { receiver: 'r' }, receivers: [{ name: 'r' }] } },
    thanos_query: { version: '0.42.4' },
    gateway,
  }
  const children = {
    prometheus: { hosts: { 'p.1': { ansible_host: '10.0.0.1' }, p_2: { ansible_host: 'fd00::2' } } },
    alertmanager: { hosts: { a: { ansible_host: '10.0.0.3' } } },
    thanos_query: { hosts: { q: { ansible_host: '10.0.0.4' } } },
    gateway: { hosts: { g: { ansible_host: '10.0.0.5' } } },
  }
  writeFileSync(join(folder, 'hosts.yml'), JSON.stringify({ all: { vars, children } }))
  const inventory = await loadInventory([folder], await rolesFor([folder]))
  const host = inventory.hosts.find(({ name }) => name === 'g')
  if (!host) throw new Error('no g')
  return bytesOf(configFile(inventory, gatewayOn(host))).toString()
}

beforeAll(() =>
  onHost(
    MACHINE,
    `openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=gw -keyout /tmp/k.pem -out /tmp/c.pem -days 2 2>/dev/null && cat /tmp/c.pem /tmp/k.pem >${PEM}`,
  ),
)

test.each([
  ['as it is by itself', {}, {}],
  ['with users', { users: { ops: '$5$salt$hash', 'a.b@c': '$6$x$y' } }, {}],
  ['with a certificate', { certificate: PEM, users: { ops: '$5$salt$hash' } }, {}],
  ['without pages', { prometheus: null, alertmanager: null }, {}],
  ['with an odd question', { query_check: `sum by (job) (up{job=~"a|b", x!='#"\\'}) > 0` }, {}],
  ['before servers with TLS', {}, { web_config: TLS }],
  ['before servers with a CA of their own', {}, { web_config: TLS, web_client_tls: { ca_file: CA, server_name: 'p' } }],
  ['before servers that are trusted blindly', {}, { web_config: TLS, web_client_tls: { insecure_skip_verify: true } }],
  [
    'before servers with a login, below a path',
    {},
    { external_url: 'https://x/p/', web_user: { username: 'v', password: 'pa"ss $x \\ word' } },
  ],
])('%s', async (_, gateway, prometheus) => {
  const text = await configWith(gateway, prometheus)
  expect(await onHost(MACHINE, 'cat >/tmp/g.cfg && haproxy -c -q -f /tmp/g.cfg 2>&1', text)).toBe('')
})
