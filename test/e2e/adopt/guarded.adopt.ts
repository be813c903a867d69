/** A pair set up by hand whose every web port speaks TLS by an authority of its own and asks for a password; keys that each service's own group alone may read. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { ADDRESSES, type Member, REPLICAS } from '../deploy/fleet.ts'
import { binariesTo } from '../roles/takeover-machine.ts'
import { onHost, resetHost, vestal } from '../vestal.ts'
import { adopt, clearMachines, hostsOnly, newFolder, type Said, silenceBody, takeOver, until } from './fleet.ts'

const ALERTMANAGERS = ['am-1', 'am-2'] as const satisfies readonly Member[]
const MEMBERS: readonly Member[] = [...REPLICAS, ...ALERTMANAGERS]
const given = hostsOnly(MEMBERS)
const out = newFolder()
/** Of the password `test`, as the documentation of Prometheus has it (docs/guides/basic-auth). */
const HASH = '$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay'

const made = mkdtempSync(join(tmpdir(), 'vestal-authority-'))
const openssl = (...words: readonly string[]): void => void execFileSync('openssl', words, { cwd: made, stdio: 'pipe' })
openssl(
  'req',
  '-x509',
  '-newkey',
  'rsa:2048',
  '-nodes',
  '-days',
  '2',
  '-keyout',
  'ca.key',
  '-out',
  'ca.crt',
  '-subj',
  '/CN=own',
)
for (const name of MEMBERS) {
  writeFileSync(join(made, `${name}.ext`), `subjectAltName=IP:${ADDRESSES[name]},IP:127.0.0.1,DNS:localhost\n`)
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    `/CN=${name}`,
  )
  openssl(
    ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'],
    ...['-extfile', `${name}.ext`, '-out', `${name}.crt`],
  )
}
const text = (file: string): string => readFileSync(join(made, file), 'utf8')
const asked = ['-sf', '--cacert', join(made, 'ca.crt')]

/** A service with an account, a key and a web configuration of its own. */
const service = (
  name: Member,
  { program, account, users, words }: { program: string; account: string; users: readonly string[]; words: string },
): string => `
getent passwd ${account} >/dev/null || useradd --system --no-create-home --shell /usr/sbin/nologin ${account}
install -d /srv/mon/web /srv/mon/tls
cat >/srv/mon/tls/ca.crt <<'END'
${text('ca.crt')}END
cat >/srv/mon/tls/${program}.crt <<'END'
${text(`${name}.crt`)}END
cat >/srv/mon/tls/${program}.key <<'END'
${text(`${name}.key`)}END
chown root:${account} /srv/mon/tls/${program}.key
chmod 0640 /srv/mon/tls/${program}.key
cat >/srv/mon/web/${program}.yaml <<'END'
tls_server_config: {cert_file: ../tls/${program}.crt, key_file: ../tls/${program}.key, min_version: TLS12}
http_server_config: {headers: {X-Frame-Options: deny}}
basic_auth_users: {${users.map((user) => `${user}: ${HASH}`).join(', ')}}
END
cat >/etc/systemd/system/mon-${program}.service <<'END'
[Service]
User=${account}
ExecStart=/srv/mon/bin/${program} --web.config.file=/srv/mon/web/${program}.yaml ${words}
ExecReload=/bin/kill -HUP $MAINPID
[Install]
WantedBy=multi-user.target
END
install -d /srv/mon/bin
mv /usr/local/bin/${program} /srv/mon/bin/
systemctl daemon-reload
systemctl enable --quiet --now mon-${program}
`
const nodeExporter = (name: Member): string =>
  service(name, { program: 'node_exporter', account: 'nodes', users: ['scrape'], words: '--collector.systemd' })
const CLIENT = 'basic_auth: {username: scrape, password_file: ../secret/scrape}, tls_config: {ca_file: ../tls/ca.crt}'

const prometheusOn = (name: Member): string => `set -e
install -d /srv/mon/conf /srv/mon/secret
useradd --system --no-create-home --shell /usr/sbin/nologin prometheus
install -d -o prometheus -g prometheus /srv/mon/samples
printf test >/srv/mon/secret/scrape
chown prometheus /srv/mon/secret/scrape
chmod 0400 /srv/mon/secret/scrape
cat >/srv/mon/conf/prom.yml <<'END'
global: {scrape_interval: 5s, evaluation_interval: 5s, external_labels: {site: here, replica: ${name.slice(-1)}}}
rule_files: [rules.yml]
alerting:
  alert_relabel_configs: [{action: labeldrop, regex: replica}]
  alertmanagers:
  - {scheme: https, basic_auth: {username: send, password: test}, tls_config: {ca_file: ../tls/ca.crt}, static_configs: [{targets: [${ALERTMANAGERS.map((one) => `'${ADDRESSES[one]}:9093'`).join(', ')}]}]}
scrape_configs:
- {job_name: self, scheme: https, ${CLIENT}, static_configs: [{targets: ['localhost:9090']}]}
- {job_name: machines, scheme: https, ${CLIENT}, static_configs: [{targets: [${MEMBERS.map((one) => `'${ADDRESSES[one]}:9100'`).join(', ')}]}]}
END
printf 'groups: [{name: x, rules: [{alert: Watchdog, expr: vector(1)}]}]\\n' >/srv/mon/conf/rules.yml
${service(name, { program: 'prometheus', account: 'prometheus', users: ['people', 'scrape'], words: '--config.file=/srv/mon/conf/prom.yml --storage.tsdb.path=/srv/mon/samples' })}
rm /usr/local/bin/promtool
${nodeExporter(name)}`

const alertmanagerOn = (name: Member): string => `set -e
install -d /srv/mon/conf
useradd --system --no-create-home --shell /usr/sbin/nologin alertmanager
install -d -o alertmanager -g alertmanager /srv/mon/silences
printf 'route: {receiver: nobody, group_interval: 1m}\\nreceivers: [{name: nobody}]\\n' >/srv/mon/conf/am.yml
${service(name, {
  program: 'alertmanager',
  account: 'alertmanager',
  users: ['people', 'send'],
  words: `--config.file=/srv/mon/conf/am.yml --storage.path=/srv/mon/silences ${ALERTMANAGERS.map((one) => `--cluster.peer=${ADDRESSES[one]}:9094`).join(' ')} --cluster.advertise-address=${ADDRESSES[name]}:9094`,
})}
rm /usr/local/bin/amtool
${nodeExporter(name)}`

const CLEAN = `systemctl disable --now --quiet mon-prometheus mon-alertmanager mon-node_exporter 2>/dev/null
rm -rf /srv/mon /etc/systemd/system/mon-*.service
for user in nodes prometheus alertmanager node-exp; do if getent passwd $user >/dev/null; then userdel $user; fi; done
if getent group nodes >/dev/null; then groupdel nodes; fi
systemctl daemon-reload; exit 0`

/** Asked as people do, whose browser trusts the authority. */
const answer = (address: string, path: string, ...words: readonly string[]): string =>
  execFileSync('curl', [...asked, '-u', 'people:test', ...words, `https://${address}${path}`], { encoding: 'utf8' })
const silences = (name: Member): readonly string[] =>
  (
    JSON.parse(answer(`${ADDRESSES[name]}:9093`, '/api/v2/silences')) as readonly {
      id: string
      status: { state: string }
    }[]
  ).flatMap(({ id, status }) => (status.state === 'active' ? [id] : []))
const samples = (name: Member, series: string): number => {
  const query = encodeURIComponent(`count_over_time(${series}[3h])`)
  const { data } = JSON.parse(answer(`${ADDRESSES[name]}:9090`, `/api/v1/query?query=${query}`))
  return Number(data.result[0]?.value[1] ?? 0)
}

let silence: readonly string[] = []
let said: Said | undefined
beforeAll(async () => {
  const { hosts } = await loadInventory([given], [])
  await Promise.all(
    hosts.map(async (host) => {
      await onHost(host.address, 'sh -s', CLEAN)
      await resetHost(host.address)
      await using connection = await connect(host)
      const name = host.name as Member
      const isReplica = REPLICAS.some((one) => one === name)
      await binariesTo(connection, [isReplica ? 'prometheus' : 'alertmanager', 'node_exporter'])
      await onHost(host.address, 'sh -s', isReplica ? prometheusOn(name) : alertmanagerOn(name))
    }),
  )
  await until(
    () =>
      answer(
        `${ADDRESSES['am-1']}:9093`,
        '/api/v2/silences',
        '-H',
        'content-type: application/json',
        '-d',
        silenceBody(),
      ),
    (made) => made.includes('silenceID'),
  )
  for (const name of ALERTMANAGERS)
    await until(
      () => silences(name),
      (found) => found.length === 1,
    )
  silence = silences('am-1')
  for (const name of REPLICAS)
    await until(
      () => samples(name, `up{job="machines",instance="${ADDRESSES['am-1']}:9100"}`),
      (count) => count > 2,
    )
})

afterAll(() => clearMachines(MEMBERS, CLEAN))

test('adopt finds who asks whom, by which authority and as whom', async () => {
  said = await adopt(given, out, MEMBERS)
  expect(said.mistakes).toEqual([])
  const { stdout } = await vestal(['inventory', '-i', out, '--json'])
  const vars = JSON.parse(stdout)._meta.hostvars
  for (const [host, role, program, username] of [
    ['prom-1', 'prometheus', 'prometheus', 'scrape'],
    ['am-1', 'alertmanager', 'alertmanager', 'send'],
    ['am-1', 'node_exporter', 'node_exporter', 'scrape'],
  ] as const)
    expect(vars[host][role]).toMatchObject({
      web_user: { username, password: { $file: expect.stringContaining('secrets/') } },
      web_client_tls: { ca_file: '/srv/mon/tls/ca.crt' },
      web_config: {
        http_server_config: { headers: { 'X-Frame-Options': 'deny' } },
        tls_server_config: { cert_file: `/srv/mon/tls/${program}.crt`, key_file: `/srv/mon/tls/${program}.key` },
      },
    })
  expect(vars['prom-2'].prometheus).toMatchObject({ replica_label: 'replica', replica: '2' })
})

test('no password and no hash stands in the inventory but in files of its own', () => {
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => /\.ya?ml$/.test(name))
  const all = files.map((name) => readFileSync(join(out, name), 'utf8')).join('\n')
  expect(all).not.toContain(HASH)
  expect(all).not.toMatch(/password: "?test/)
})

test('a key that the service’s new account can’t read is told with what to do, and the operator does it', async () => {
  const locked = said?.notes.filter(({ what }) => what.includes('node_exporter.key')) ?? []
  expect(locked.map(({ host, kind }) => [host, kind]).sort()).toEqual(MEMBERS.map((name) => [name, 'left']).sort())
  for (const { host, fix } of locked)
    await onHost(ADDRESSES[host as Member], fix?.replace(/^Before the first deploy: /, '') ?? 'false')
})

test('it is taken over under watch: nothing is lost, nobody is told twice', () => takeOver(out, 'TLS and passwords'))

test('silences, samples and users are kept', async () => {
  for (const name of ALERTMANAGERS)
    await until(
      () => silences(name),
      (found) => isDeepStrictEqual(found, silence),
    )
  for (const name of REPLICAS) {
    expect(samples(name, 'up{job="self",instance="localhost:9090"}')).toBeGreaterThan(10)
    expect(samples(name, `up{job="machines",instance="${ADDRESSES['am-1']}:9100"}`)).toBeGreaterThan(10)
  }
  for (const [name, port] of [
    ['prom-1', 9090],
    ['am-2', 9093],
    ['am-2', 9100],
  ] as const) {
    const nobody = ['-s', '--cacert', join(made, 'ca.crt'), '-o', '/dev/null', '-w', '%{http_code}']
    expect(execFileSync('curl', [...nobody, `https://${ADDRESSES[name]}:${port}/`], { encoding: 'utf8' })).toBe('401')
  }
})

test('a second deploy changes nothing', async () => {
  expect(await vestal(['plan', '-i', out, '--exit-code'])).toMatchObject({ code: 0 })
})
