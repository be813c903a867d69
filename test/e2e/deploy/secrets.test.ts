/** A secret is in the file that needs it, and in nothing that anybody else can see. */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { parse } from 'yaml'
import { accounts } from '../../../lib/lab/places.ts'
import { type Ended, onHost, runs, vestal } from '../vestal.ts'
import { SPARE } from './fleet.ts'
import { inventoryOf, writeFiles } from './inventories.ts'
import { watchProcesses } from './processes.ts'

/** Awkward for shells, YAML and JSON; the random end is what is looked for, however the rest may be spelled. */
const awkward = (): string => `p' "$HOME" \`id\` %s\\n #ä: ${randomBytes(8).toString('hex')}`
/** In a header or an address, only some characters can stand. */
const plain = (): string => `s3cret-${randomBytes(8).toString('hex')}`
const SECRETS = {
  login: awkward(),
  hookToken: plain(),
  hookPath: plain(),
  mailPassword: awkward(),
  writtenPlainly: awkward(),
  remoteWrite: awkward(),
  webPassword: awkward(),
}
const ENDS = Object.values(SECRETS).map((secret) => secret.slice(-16))
const env = { HOOK_TOKEN: SECRETS.hookToken, REMOTE_WRITE_PASSWORD: SECRETS.remoteWrite }
const url = (path: string): string => `${inject('lab').receiver}/${path}`

const alertmanager = {
  version: '0.33.1',
  config: {
    route: { receiver: 'hook' },
    receivers: [
      {
        name: 'hook',
        webhook_configs: [
          {
            url: { $file: '../secrets/hook-url' },
            http_config: { authorization: { credentials: { $env: 'HOOK_TOKEN' } } },
          },
        ],
        email_configs: [
          {
            to: 'ops@example.org',
            from: 'ops@example.org',
            smarthost: '127.0.0.1:25',
            auth_username: 'ops',
            auth_password: { $file: '../secrets/mail-password' },
            send_resolved: false,
          },
        ],
      },
      {
        name: 'other',
        webhook_configs: [
          { url: url('other'), http_config: { basic_auth: { username: 'ops', password: SECRETS.writtenPlainly } } },
        ],
      },
    ],
  },
}

describe('secrets in an inventory', () => {
  let inventory = ''
  const said: Ended[] = []
  let watch = watchProcesses([])

  /** Runs a command that must end with this code; all that it says is kept to be searched. */
  const run = async (code: number, ...words: readonly string[]): Promise<Ended> => {
    const ended = await vestal([...words, '-i', inventory], { env })
    said.push(ended)
    expect(ended.code, `${words.join(' ')}:\n${ended.stdout.slice(-2_000)}${ended.stderr}`).toBe(code)
    return ended
  }

  beforeAll(async () => {
    await watch.stop()
    await setPassword(SECRETS.login)
    const bcrypt = await onHost(
      SPARE,
      `perl -e 'my $word = <STDIN>; print crypt($word, q($2b$05$) . join q(), map { (0..9, q(a)..q(z))[rand 36] } 1..22)'`,
      SECRETS.webPassword,
    )
    inventory = inventoryOf({
      'hosts.yml': {
        all: {
          children: Object.fromEntries(
            ['prometheus', 'alertmanager', 'node_exporter'].map((group) => [group, { hosts: { spare: null } }]),
          ),
        },
      },
      'host_vars/spare.yml': { ansible_host: SPARE },
      'group_vars/all/lab.yml': {
        ansible_user: accounts.deploy,
        ansible_password: { $file: '../../secrets/login' },
        ansible_become: true,
        ansible_become_password: { $file: '../../secrets/login' },
        ansible_ssh_common_args: `-o UserKnownHostsFile=${inject('lab').knownHosts}`,
        vestal: { lab: 'default', releases: `file:${inject('lab').mirror}` },
      },
      'group_vars/alertmanager.yml': { alertmanager },
      'group_vars/node_exporter.yml': { node_exporter: { version: '1.11.1' } },
      'group_vars/prometheus.yml': {
        prometheus: {
          version: '3.5.3',
          scrape_interval: '2s',
          evaluation_interval: '2s',
          web_config: { basic_auth_users: { vestal: bcrypt } },
          web_user: { username: 'vestal', password: { $file: '../secrets/web-password' } },
          remote_write: [
            { url: url('write'), basic_auth: { username: 'ops', password: { $env: 'REMOTE_WRITE_PASSWORD' } } },
          ],
        },
      },
      'secrets/login': SECRETS.login,
      'secrets/web-password': SECRETS.webPassword,
      'secrets/hook-url': url(SECRETS.hookPath),
      'secrets/mail-password': `${SECRETS.mailPassword}\n`,
    })
    watch = watchProcesses(ENDS)
  })
  afterAll(() => setPassword(accounts.password))

  test('deploy as they must, with a password for the login and for sudo', async () => {
    await run(0, 'plan', '--diff', '-v')
    await run(0, 'plan', '--diff', '--json')
    await run(0, 'deploy', '-v', '--diff')
    await run(0, 'plan', '--exit-code')
  })

  test('arrive in the files that need them, which their services alone may read', async () => {
    const files = ['/etc/alertmanager/alertmanager.yml', '/etc/prometheus/prometheus.yml', '/etc/prometheus/web.yml']
    expect(await onHost(SPARE, `stat -c '%n %a %U:%G' ${files.join(' ')}`)).toBe(
      `${files[0]} 640 root:alertmanager\n${files[1]} 640 root:prometheus\n${files[2]} 640 root:prometheus\n`,
    )
    const [hook, other] = parse(await onHost(SPARE, `cat ${files[0]}`)).receivers
    expect(hook.webhook_configs[0]).toMatchObject({
      url: url(SECRETS.hookPath),
      http_config: { authorization: { credentials: SECRETS.hookToken } },
    })
    expect(hook.email_configs[0].auth_password).toBe(SECRETS.mailPassword)
    expect(other.webhook_configs[0].http_config.basic_auth.password).toBe(SECRETS.writtenPlainly)
    const prometheus = parse(await onHost(SPARE, `cat ${files[1]}`))
    expect(prometheus.remote_write[0].basic_auth.password).toBe(SECRETS.remoteWrite)
    const own = prometheus.scrape_configs.find((one: { job_name: string }) => one.job_name === 'prometheus')
    expect(own.basic_auth).toEqual({ username: 'vestal', password: SECRETS.webPassword })
  })

  test('are not told by deploys that change, fail, or may not log in', async () => {
    const change = (config: object, more: object = {}): void =>
      writeFiles(inventory, {
        'group_vars/alertmanager.yml': {
          alertmanager: { ...alertmanager, ...more, config: { ...alertmanager.config, ...config } },
        },
      })
    change({ route: { receiver: 'hook', group_wait: '2s' } })
    await run(0, 'deploy', '--json', '--diff', '-v')
    writeFiles(inventory, { 'secrets/hook-url': `${url(SECRETS.hookPath)}%zz\n` })
    const refused = await run(2, 'deploy', '-v', '--diff')
    expect(refused.stderr).toMatch(/\/etc\/alertmanager\/alertmanager\.yml on spare: amtool \S+ refuses it: .*URL/)
    await run(2, 'deploy', '--json')
    writeFiles(inventory, { 'secrets/hook-url': `${url(SECRETS.hookPath)}\n` })
    change({}, { extra_flags: { 'no-such-flag': SECRETS.writtenPlainly } })
    await run(1, 'deploy', '-v')
    change({})
    writeFiles(inventory, { 'secrets/login': `not ${SECRETS.login}` })
    await run(1, 'deploy', '-v')
    writeFiles(inventory, { 'secrets/login': SECRETS.login })
    await run(0, 'deploy', '--json')
  })

  test('are not told by any other command', async () => {
    for (const command of [['inventory', '--json'], ['inventory'], ['check', '-v'], ['status', '--json', '-v']])
      await run(0, ...command)
    const audited = await vestal(['audit', '--json'])
    said.push(audited)
    const failed = (JSON.parse(audited.stdout) as readonly { run: string; result: string }[]).find(
      ({ result }) => result === 'failed',
    )
    if (!failed) throw new Error('no run has failed')
    said.push(await vestal(['audit', failed.run]), await vestal(['audit', failed.run, '--json']))
  })

  test('stood in nothing that was printed or written down on the controller', () => {
    const printed = said.map(({ stdout, stderr }) => stdout + stderr)
    const kept = readdirSync(runs, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    expect(printed.join('').length).toBeGreaterThan(10_000)
    expect(kept.length).toBeGreaterThan(10)
    expect([...printed, ...kept].flatMap(linesWithSecrets)).toEqual([])
  })

  test('stood in no command line or environment, here or on the host', async () => {
    const { found, looks } = await watch.stop()
    expect(found).toEqual([])
    expect(looks).toBeGreaterThan(20)
  })

  test('are in no other file of the host, nor in its journal', async () => {
    const patterns = ENDS.join('\n')
    const files = await onHost(
      SPARE,
      'grep -rlFf - --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev / 2>/dev/null || :',
      patterns,
    )
    const outside = files.split('\n').filter((path) => path !== '' && !path.startsWith('/var/lib/vestal/backups/'))
    expect(outside.sort()).toEqual(['/etc/alertmanager/alertmanager.yml', '/etc/prometheus/prometheus.yml'])
    expect(await onHost(SPARE, 'stat -c "%a %U" /var/lib/vestal /var/lib/vestal/backups')).toBe('700 root\n700 root\n')
    expect(
      await onHost(SPARE, 'ends=$(cat); journalctl -q --no-pager -o export | grep -caF "$ends" || :', patterns),
    ).toBe('0\n')
  })
})

const setPassword = (password: string): Promise<string> => onHost(SPARE, 'chpasswd', `${accounts.deploy}:${password}\n`)

const linesWithSecrets = (text: string): readonly string[] =>
  text.split('\n').filter((line) => ENDS.some((end) => line.includes(end)))
