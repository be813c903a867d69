import type { Inventory } from '../../lib/model.ts'
import { nameShownBy, trustsFleet } from '../../lib/program/certified.ts'
import { hasTls, joined } from '../../lib/program/web.ts'
import { Sealed, Secret } from '../../lib/secret.ts'
import { type Backend, backendsOf, pathOn, type Server } from './backends.ts'
import { certificatePath, type GatewayVars } from './vars.ts'

export const FOLDER = '/etc/gateway'
export const CONFIG = `${FOLDER}/haproxy.cfg`
export const RUN = '/run/gateway'

/** A line is text, or text with secrets in it. */
type Line = string | readonly (string | Secret)[]

/** The configuration of HAProxy (2.4 and later, `doc/configuration.txt`); sealed where it holds a hash or a password. */
export const configFile = (inventory: Pick<Inventory, 'hosts'>, vars: GatewayVars): string | Sealed => {
  const backends = backendsOf(inventory, vars)
  const lines: readonly Line[] = [
    '# Written by Vestal from the inventory. Changes made here are replaced by the next deploy.',
    ...section('global', [
      'log stdout format raw local0 info',
      `stats socket ${RUN}/admin.sock mode 600 level admin`,
      'stats timeout 30s',
    ]),
    ...section('defaults', [
      'mode http',
      'log global',
      'option dontlognull',
      'option http-ignore-probes',
      'option forwardfor',
      `timeout connect ${vars.connect_timeout}`,
      `timeout client ${vars.timeout}`,
      `timeout server ${vars.timeout}`,
      'timeout http-request 10s',
      'timeout http-keep-alive 60s',
      'timeout check 20s',
      // A machine that is gone answers no connection: each request makes one, and asks another server where that fails.
      'http-reuse never',
      'retries 3',
      'option redispatch 1',
      // Of a machine that goes while it is asked.
      ...['option srvtcpka', 'srvtcpka-idle 2s', 'srvtcpka-intvl 1s', 'srvtcpka-cnt 3'],
    ]),
    ...peopleOf(vars),
    ...section('frontend metrics', [
      `bind ${vars.metrics}`,
      'no log',
      'http-request use-service prometheus-exporter if { path /metrics }',
      'stats enable',
      'stats uri /',
      'stats refresh 5s',
    ]),
    ...backends.flatMap((backend) => [...frontendOf(backend, vars), ...backendOf(backend, vars)]),
  ]
  const parts = lines.flatMap((line): readonly (string | Secret)[] =>
    typeof line === 'string' ? [`${line}\n`] : [...line, '\n'],
  )
  return parts.some((part) => part instanceof Secret) ? new Sealed(parts) : parts.join('')
}

const section = (head: string, lines: readonly Line[]): readonly Line[] => [
  '',
  head,
  ...lines.map((line): Line => (typeof line === 'string' ? `  ${line}` : ['  ', ...line])),
]

const peopleOf = ({ users }: GatewayVars): readonly Line[] => {
  const names = Object.entries(users)
  return names.length === 0
    ? []
    : section(
        'userlist people',
        names.map(([name, hash]) => [`user ${name} password `, hash]),
      )
}

const frontendOf = ({ page, listen }: Backend, vars: GatewayVars): readonly Line[] => {
  const certificate = certificatePath(vars)
  return section(`frontend ${page}`, [
    `bind ${listen}${certificate === undefined ? '' : ` ssl crt ${quoted(certificate)} alpn h2,http/1.1`}`,
    'option httplog',
    ...(Object.keys(vars.users).length === 0
      ? []
      : ['http-request auth realm Vestal unless { http_auth(people) }', 'http-request del-header Authorization']),
    `default_backend ${page}`,
  ])
}

const backendOf = (
  { page, servers, checks, harmless, sticky, notMe = [], rules = [] }: Backend,
  vars: GatewayVars,
): readonly Line[] => {
  const [first] = servers
  const login = first ? loginOf(first) : undefined
  return section(`backend ${page}`, [
    'balance roundrobin',
    ...rules,
    ...(sticky ? stickyLines(page, servers) : []),
    ['retry-on conn-failure empty-response junk-response', ...notMe].join(' '),
    `http-request disable-l7-retry unless ${harmless}`,
    ...(login ? [['http-request set-header Authorization "', login, '"'] as const] : []),
    'option httpchk',
    ...checks.flatMap(({ path, holds, lacks }): readonly Line[] => [
      // As each server is asked, with TLS and without.
      'http-check connect default',
      [
        `http-check send meth GET uri ${first ? pathOn(first, path) : path} ver HTTP/1.1 hdr Host localhost`,
        ...(login ? [' hdr Authorization "', login, '"'] : []),
      ],
      // Plain text: regular expressions are compiled into memory that is then executed, which the unit forbids.
      holds === undefined ? 'http-check expect status 200' : `http-check expect string '${holds}'`,
      ...(lacks === undefined ? [] : [`http-check expect ! string '${lacks}'`]),
    ]),
    // A request that a machine has not even acknowledged is given up after tcp-ut, and asked of another one. What is still under way at one that two
    // checks in a row found gone is ended: no request waits for a machine that may never answer.
    `default-server check inter ${vars.check_interval} fastinter 500ms fall 2 rise 2 tcp-ut 2s on-marked-down shutdown-sessions`,
    ...servers.map((server) => `server ${serverWords(server)}${sticky ? ` cookie ${server.name}` : ''}`),
    // Where the checks say no to all of them, such as while the data of all is slow, whoever can be reached is asked all the same.
    'option allbackups',
    ...servers.map((server) => `server ${serverWords(server, '.unchecked')} backup no-check`),
  ])
}

/** Whoever came to a server stays there; `?server=NAME` chooses one, and its answer holds the same cookie. */
const stickyLines = (page: string, servers: readonly Server[]): readonly string[] => [
  `cookie vestal-${page} insert indirect nocache httponly`,
  `http-request set-var(txn.server) url_param(server) if { url_param(server) ${servers.map(({ name }) => name).join(' ')} }`,
  ...servers.map(({ name }) => `use-server ${name} if { var(txn.server) -m str ${name} }`),
  `http-after-response add-header Set-Cookie "vestal-${page}=%[var(txn.server)]; path=/; HttpOnly" if { var(txn.server) -m found }`,
]

const serverWords = (server: Server, suffix = ''): string => {
  const { name, host, port, web } = server
  return [`${name}${suffix}`, joined(host.address, port), ...(hasTls(web) ? tlsWords(server) : [])].join(' ')
}

/** As Prometheus trusts its certificate. */
const tlsWords = ({ host, web }: Server): readonly string[] => {
  const { ca_file, server_name, insecure_skip_verify } = (web.web_client_tls ?? {}) as Readonly<Record<string, unknown>>
  if (insecure_skip_verify === true) return ['ssl', 'verify', 'none']
  const known = trustsFleet(web) ? nameShownBy(host) : host.address
  const name = typeof server_name === 'string' ? server_name : known
  return [
    ...['ssl', 'verify', 'required', 'verifyhost', quoted(name), 'sni', quoted(`str(${name})`)],
    ...['ca-file', typeof ca_file === 'string' ? quoted(ca_file) : '@system-ca'],
  ]
}

/** Who the gateway is to servers that want a login; the same for all of a page. */
const loginOf = ({ web: { web_user } }: Server): Secret | undefined =>
  web_user &&
  new Secret(`Basic ${Buffer.from(`${web_user.username}:${web_user.password.reveal()}`).toString('base64')}`)

/** A word of HAProxy's configuration, in strong quotes where it needs any (`doc/configuration.txt`, 2.2). */
const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)
